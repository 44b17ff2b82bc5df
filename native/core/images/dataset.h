// A dataset whose images are decoded in every pass.
#pragma once

#include <memory>
#include <vector>

#include "images/loader.h"
#include "images/source.h"
#include "train/data.h"

namespace splitgrow {

struct ImageDataset : Dataset {
  std::shared_ptr<const ImageSource> source;
  LoaderOptions options;
  std::vector<double> mean, std;  // of pixels / 255: one number a channel
  at::Device where = at::kCPU;

  // Throws Error: E_DATA, E_LABELS, E_ARGUMENT.
  void check() const;
  int64_t size() const override { return source->size(); }
  // 3, or 1: then the luma of the files' pixels.
  int64_t channels() const { return static_cast<int64_t>(mean.size()); }
  std::vector<int64_t> shape() const override {
    return {channels(), options.resolution, options.resolution};
  }
  at::Device device() const override { return where; }
  std::unique_ptr<Sweep> sweep(const SweepOptions& options) const override;

  // uint8 [channels, R, R] of evaluation. Throws Error{E_DATA}.
  at::Tensor image(int64_t index) const;
};

}  // namespace splitgrow
