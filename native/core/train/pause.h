// Stopping between two minibatches, so that the work can go on from there.
#pragma once

#include "ops/net.h"
#include "ranks/group.h"
#include "tensor/control.h"

namespace splitgrow {

// Why work is paused: to be kept and to go on at once, or to end here.
enum class Pause : int { none = 0, checkpoint = 1, stop = 2 };
using PauseFlag = std::atomic<Pause>;

// Where a loop over minibatches asks whether to go on. Aborts and pauses may
// reach the ranks at different moments, or one of them only; all ranks follow
// them at the same minibatch, which may be one later than the first heard of
// it.
class Agreement {
 public:
  // Without a flag nothing is ever paused.
  explicit Agreement(const Control& control,
                     std::shared_ptr<PauseFlag> flag = nullptr)
      : control_(control), flag_(std::move(flag)) {}
  // Before a minibatch. E_ABORTED.
  void check();
  // After it.
  Pause pause();

 private:
  Pause asked() const { return flag_ ? flag_->load() : Pause::none; }
  void count();

  const Control& control_;
  const std::shared_ptr<PauseFlag> flag_;
  at::Tensor votes_;  // ranks that abort, that ask for either pause
  Wait counted_;      // their sum takes place beside the minibatch
  bool isFirst_ = true;
};

// What each rank has of its own, [ranks, ...], the same everywhere.
at::Tensor gatherRows(const at::Tensor& own);
// This rank's row of what gatherRows made of another group of as many ranks;
// undefined where there were not as many.
at::Tensor ownRow(const at::Tensor& rows);

// Batch norm's running statistics in one row, in the order of the nodes, and
// then their moving averages where they are kept.
at::Tensor statisticsOf(const Network& network);
void writeStatistics(Network* network, const at::Tensor& row);

}  // namespace splitgrow
