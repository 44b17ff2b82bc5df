// A dataset in memory: images and labels as tensors on the device.
#pragma once

#include "train/data.h"

namespace splitgrow {

struct TensorDataset : Dataset {
  at::Tensor images;              // uint8 or float32 [N, C, H, W], contiguous
  at::Tensor labels;              // int64 [N]
  std::vector<double> mean, std;  // per channel; empty: none

  // Throws Error: E_DATA, E_LABELS or E_NOT_FINITE.
  void check() const;

  int64_t size() const override { return images.size(0); }
  std::vector<int64_t> shape() const override {
    return images.sizes().slice(1).vec();
  }
  at::Device device() const override { return images.device(); }
  std::unique_ptr<Sweep> sweep(const SweepOptions& options) const override;
};

}  // namespace splitgrow
