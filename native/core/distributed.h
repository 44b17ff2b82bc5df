// Data-parallel ranks: what training and splitting exchange. With one process
// every function here does nothing.
#pragma once

#include "data.h"
#include "net.h"

namespace splitgrow {

// This rank's share of a global minibatch.
Batch shardOf(const Batch& whole);
// Gradients of the mean over the global minibatch, from the local means.
void reduceGradients(Network* network, int64_t local, int64_t whole);
// Sums a tensor over the ranks, in place.
void reduceSums(const at::Tensor& tensor);
// Averages batch-norm statistics over the ranks, so that they stay equal.
void shareStatistics(Network* network);

}  // namespace splitgrow
