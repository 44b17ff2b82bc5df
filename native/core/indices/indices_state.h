// Half-computed splitting indices, and the same as tensors.
#pragma once

#include <mutex>

#include "indices/indices.h"
#include "indices/lobpcg.h"

namespace splitgrow {

struct IndicesState {
  // Called on a task's thread: how the matrices are cut depends on its number
  // of threads.
  IndicesState(const Network& network, const IndicesOptions& options);

  // Exact: sweeps over the data, the current one, and its blocks' sums.
  std::vector<std::vector<Block>> sweeps;
  int64_t sweep = 0;
  // Null where no chain has the method.
  std::unique_ptr<Lobpcg> lobpcg;
  // The descent and its current epoch; null where no chain is to descend.
  std::unique_ptr<Rayleigh> descent;
  int64_t epoch = 0;
  int64_t roundEnd = 0;   // the epoch by which residuals are looked at
  double rateFactor = 1;  // by which rounds have lowered the rate
  int64_t above = -1;     // neurons above the tolerance; -1: not known yet
  double sum = 0;         // of the descent's indices, by the latest round
  int64_t next = 0;       // minibatch of the sweep, the pass or the epoch
  double read = 0;  // images of it that could be read so far, over all ranks
  double seconds = 0;
  Indices result;  // filled by and by; stays as it is once it is whole
  bool isDone = false;
  std::mutex busy;

  // Throws E_ARGUMENT if the state was made for another network or other
  // options: everything here has their sizes.
  void checkFits(const Network& network, const IndicesOptions& options) const;

  bool isSweeping() const {
    return sweep < static_cast<int64_t>(sweeps.size());
  }
  bool isSearching(const IndicesOptions& options) const {
    return !isSweeping() && lobpcg && lobpcg->isUnderWay(options);
  }

 private:
  std::vector<Chain> chains_;
  const std::vector<Method> methods_;
  const at::Device device_;
  const at::ScalarType dtype_;
};

// All tensors of `state`. The sums of a sweep (or a pass of lobpcg) are left
// out if they take more
// than `mostBytes` or if there are several ranks; the sweep then begins anew
// and gives the same bits. The result is empty if the sweep cannot begin anew
// because it has moved running statistics.
NamedTensors tensorsOf(const IndicesState& state, const Network& network,
                       const IndicesOptions& options, int64_t mostBytes);
// The state that `tensors` came from. Throws E_RESUME if they do not fit the
// network and the options.
std::shared_ptr<IndicesState> stateOf(const Network& network,
                                      const IndicesOptions& options,
                                      const NamedTensors& tensors);

}  // namespace splitgrow
