// Data-parallel ranks: what training and splitting exchange. With one process
// every function here does nothing.
#pragma once

#include "ops/net.h"

namespace splitgrow {

// Averages batch-norm statistics over the ranks, so that they stay equal.
void shareStatistics(Network* network);

}  // namespace splitgrow
