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

// Estimates the running mean and variance of every batch norm anew: each
// becomes the mean of the minibatches' means and variances (with n - 1) over
// one sweep, as PyTorch does with momentum=None. Parameters do not move, and
// nothing is dropped out. If it fails or is aborted, the statistics stay as
// they were.
void recalibrate(Network* network, const Dataset& data,
                 const RecalibrateOptions& options, const Control& control);

// Averages them over the ranks, so that they stay equal. Does nothing in a
// process of its own.
void shareStatistics(Network* network);

}  // namespace splitgrow
