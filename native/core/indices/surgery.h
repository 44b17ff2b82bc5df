// Growing and pruning: tensors of a new network from those of an old one.
#pragma once

#include "indices/indices.h"
#include "ops/net.h"

namespace splitgrow {

// How a tensor of the new network comes from one of the old: rows and columns
// are gathered, rows move by `shift` * epsilon along the splitting directions,
// columns are multiplied by `scales`. Neuron 1 of two is split:
//   conv.weight: rows [0, 1, 1], shift [0, 1, -1], direction "conv":
//                w0, w1 + epsilon v1, w1 - epsilon v1
//   next.weight: columns [0, 1, 1], scales [1, 0.5, 0.5]
// lib/graph/program.ts has the same type.
struct TensorSurgery {
  std::string name, direction;
  at::Tensor rows, shift, rowShares, columns, scales;  // undefined: unchanged
  bool scalesStep = true;  // false: `scales` leaves the step out
};

std::shared_ptr<Network> rewrite(Network* from, Program program,
                                 const std::vector<TensorSurgery>& surgery,
                                 const Directions* directions, double epsilon,
                                 bool keepsMomentum);

}  // namespace splitgrow
