// Growing and pruning: tensors of a new network from those of an old one.
#pragma once

#include "indices/indices.h"
#include "ops/net.h"

namespace splitgrow {

// lib/graph/program.ts, TensorSurgery.
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
