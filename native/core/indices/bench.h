// Times of the steps that training and splitting are made of.
#pragma once

#include <string>
#include <vector>

#include "indices/indices.h"
#include "train/train.h"

namespace splitgrow {

struct BenchOptions {
  std::string what;
  std::string precision = "float32";  // of the training step, as in training
  int64_t batch = 0, repeats = 0, warmup = 0;
  int64_t memoryLimit = 0;   // bytes of the exact method's sums
  std::vector<bool> chains;  // whose indices are computed; empty: all
};
struct BenchResult {
  std::vector<double> milliseconds;
  int64_t peakBytes = 0;   // of a step, above what was held before it
  int64_t stateBytes = 0;  // kept from step to step
  int64_t sweeps = 0;      // of an exact pass within the memory limit
  // Loops of the CPU engine that runs float32 steps of this network, and the
  // ops that it leaves to LibTorch; empty: LibTorch runs all.
  std::string engine;
  std::vector<std::string> byLibTorch;
};

BenchResult bench(Network* network, const Dataset& data,
                  const BenchOptions& options, const Control& control);

}  // namespace splitgrow
