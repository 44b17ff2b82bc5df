// Stopping between two minibatches, so that the work can go on from there.
#pragma once

#include "ops/net.h"
#include "ranks/group.h"
#include "tensor/control.h"

namespace splitgrow {

// Why work is paused: for a checkpoint, after which it goes on at once, or to
// end here.
enum class Pause : int { none = 0, checkpoint = 1, stop = 2 };
using PauseFlag = std::atomic<Pause>;

// A loop over minibatches asks here whether to go on. An abort or a pause may
// reach the ranks at different moments, or only one of them. All ranks follow
// it at the same minibatch, which may come one after the minibatch in which the
// first rank heard of it.
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

// The rows of all ranks as [ranks, ...], the same on every rank.
at::Tensor gatherRows(const at::Tensor& row);
// This rank's row of what gatherRows made, maybe in an earlier group; undefined
// if that group had another number of ranks.
at::Tensor rowOfThisRank(const at::Tensor& rows);

// The running statistics of batch norm in one row, in the order of the nodes,
// and then their moving averages if there are any.
at::Tensor statisticsOf(const Network& network);
void writeStatistics(Network* network, const at::Tensor& row);

}  // namespace splitgrow
