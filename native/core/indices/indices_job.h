// One computation of splitting indices, as the exact method and the descent
// share it.
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

// Throws E_NOT_FINITE that names the layer and says what of it.
void requireFinite(const at::Tensor& values, const Chain& chain,
                   const char* what);

// Throws E_RESUME where a kept state stands beyond the sweep.
void requirePlace(const IndicesState& state, int64_t steps);

// Rank 0's indices and directions for all: ranks of unlike processors solve the
// same sums to other roundings, and all are to pick the same neurons.
void shareResult(const Job& job, Indices* result);

// What is left of the descent on the Rayleigh quotients.
Pause runRayleigh(const Job& job, IndicesState* state);

}  // namespace splitgrow
