// Data-parallel ranks: what training and splitting exchange. With one process
// every function here does nothing.
#pragma once

#include "data.h"
#include "net.h"

namespace splitgrow {

// This rank's part of a global minibatch, and its share of the mean loss: the
// shares of all ranks add up to 1.
struct Shard {
  Batch batch;
  double share = 1;
  bool isWhole = true;  // every rank has the whole minibatch
};
// Consecutive rows by rank; a minibatch with fewer images than ranks is worked
// on by every rank as a whole.
Shard shardOf(const Batch& whole);
// Averages batch-norm statistics over the ranks, so that they stay equal.
void shareStatistics(Network* network);

}  // namespace splitgrow
