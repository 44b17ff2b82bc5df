// Running statistics of batch norm, estimated anew.
#pragma once

#include "train/train.h"

namespace splitgrow {

struct RecalibrateOptions {
  int64_t batch = 1;
  Remainder remainder = Remainder::kKeep;
  int64_t leastImages = 1;  // of a pass, as far as the minibatch has them
  bool syncsNorm = false;   // batch statistics over all ranks
  bool shuffle = true;
  Augment augment;
  uint64_t seed = 0;
};

// Sets running mean and variance of every batch norm to the mean, over the
// minibatches of one sweep, of the minibatches' own (variance with
// n - 1): PyTorch's momentum=None. No parameter moves, nothing is dropped out;
// where it fails or is aborted, the statistics are as they were.
void recalibrate(Network* network, const Dataset& data,
                 const RecalibrateOptions& options, const Control& control);

// Averages them over the ranks, so that they stay equal. Does nothing in a
// process of its own.
void shareStatistics(Network* network);

}  // namespace splitgrow
