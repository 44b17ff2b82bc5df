// What the methods share in one computation of splitting indices.
#pragma once

#include <cmath>

#include "indices/indices.h"
#include "indices/indices_state.h"
#include "tensor/clock.h"

namespace splitgrow {

struct Job {
  Network* network;
  const Dataset& data;
  const IndicesOptions& options;
  const Control& control;
  const Folded& folded;
  Clock::time_point start;

  void tell(const char* phase, int64_t done, int64_t total,
            int64_t images) const {
    control.report(
        {phase, done, total, images, secondsSince(start), std::nan("")});
  }
  // Of a minibatch among all images.
  double weightOf(double images) const {
    return images / static_cast<double>(data.size());
  }
};

// Throws E_NOT_FINITE with the layer and `what` unless all values are finite.
void requireFinite(const at::Tensor& values, const Chain& chain,
                   const char* what);

// Throws E_RESUME if a kept state stands behind the end of the sweep.
void requirePlace(const IndicesState& state, int64_t steps);

// Gives the indices and directions of rank 0 to all ranks. Different processors
// round the same sums differently, but all ranks must pick the same neurons.
void shareResult(const Job& job, Indices* result);

// The first axis for every neuron of a chain: the direction where there is no
// curvature, and every direction has index 0.
at::Tensor firstAxis(const Network& network, const Chain& chain);

// Ends a pass of lobpcg: results, and the directions of the next pass.
void endPass(const Job& job, IndicesState* state);

// Runs the passes of lobpcg that are left.
Pause runLobpcg(const Job& job, IndicesState* state);

// Runs the rest of the descent on the Rayleigh quotients.
Pause runRayleigh(const Job& job, IndicesState* state);

}  // namespace splitgrow
