// Times of the steps that training and splitting are made of.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "indices.h"
#include "train.h"

namespace splitgrow {

struct BenchOptions {
  std::string what;
  int64_t batch = 64, repeats = 10, warmup = 3;
};
struct BenchResult {
  std::vector<double> milliseconds;
  int64_t peakBytes = 0;
};

BenchResult bench(Network* network, const Dataset& data,
                  const BenchOptions& options, const Control& control);

// The exported call: network, dataset, options, abort.
Napi::Value benchSteps(const Napi::CallbackInfo& info);

}  // namespace splitgrow
