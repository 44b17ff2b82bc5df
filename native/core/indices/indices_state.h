// Splitting indices that are being computed: where they stand, as tensors too.
#pragma once

#include <mutex>

#include "indices/indices.h"

namespace splitgrow {

struct IndicesState {
  // On a task's thread: how the matrices are cut depends on its threads.
  IndicesState(const Network& network, const IndicesOptions& options);

  // Exact: sweeps over the data, the current one, and its blocks' sums.
  std::vector<std::vector<Block>> sweeps;
  int64_t sweep = 0;
  // The descent and its current epoch; null where no chain is to descend.
  std::unique_ptr<Rayleigh> descent;
  int64_t epoch = 0;
  int64_t roundEnd = 0;   // the epoch by which residuals are looked at
  double rateFactor = 1;  // by which rounds have lowered the rate
  int64_t above = -1;     // neurons above the tolerance; -1: not known yet
  double sum = 0;         // of the descent's indices, by the latest round
  int64_t next = 0;  // minibatch of the sweep, or of the epoch after all sweeps
  double read = 0;   // images of it that could be read so far, over all ranks
  double seconds = 0;
  Indices result;  // filled by and by; stays as it is once it is whole
  bool isDone = false;
  std::mutex busy;

  // Throws E_ARGUMENT where they are not those that the state was made for:
  // everything here has their sizes.
  void checkFits(const Network& network, const IndicesOptions& options) const;

  bool isSweeping() const {
    return sweep < static_cast<int64_t>(sweeps.size());
  }

 private:
  std::vector<Chain> chains_;
  const std::vector<bool> isExact_;
  const at::Device device_;
  const at::ScalarType dtype_;
};

// Everything that `state` consists of. Sums of a sweep that take more than
// `mostBytes`, or are of one rank of several, are left out: the sweep then
// begins anew, to the same bits. Empty where it cannot, because the sweep has
// moved running statistics.
NamedTensors tensorsOf(const IndicesState& state, const Network& network,
                       const IndicesOptions& options, int64_t mostBytes);
// The state that `tensors` were made of. Throws E_RESUME where they do not fit
// the network and the options.
std::shared_ptr<IndicesState> stateOf(const Network& network,
                                      const IndicesOptions& options,
                                      const NamedTensors& tensors);

}  // namespace splitgrow
