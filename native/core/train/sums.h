// Loss and hits of a sweep, added up on the device.
#pragma once

#include <algorithm>
#include <cmath>

#include "engine/engine.h"
#include "ranks/group.h"
#include "tensor/clock.h"
#include "train/train.h"

namespace splitgrow {

// Sums that stay on the device until they are read.
struct Sums {
  explicit Sums(const at::Device& device)
      : values(at::zeros(
            {4}, at::TensorOptions().dtype(at::kDouble).device(device))) {}
  // `weight` is less than 1 where several ranks count the same images.
  void add(const at::Tensor& loss, const at::Tensor& logits,
           const at::Tensor& labels, bool wantTop5, double weight = 1) {
    values[0] += loss.to(at::kDouble) * weight;
    const int64_t k =
        wantTop5 ? std::min<int64_t>(5, logits.size(1)) : int64_t{1};
    const at::Tensor hits =
        std::get<1>(logits.topk(k, 1)).eq(labels.unsqueeze(1));
    values[1] += hits.select(1, 0).sum(at::kDouble) * weight;
    values[2] += hits.sum(at::kDouble) * weight;
    values[3] += static_cast<double>(labels.size(0)) * weight;
  }
  // The same of a pass of the CPU engine.
  void add(const engine::Summary& summary, double weight = 1) {
    auto* const v = values.mutable_data_ptr<double>();
    v[0] += summary.loss * weight;
    v[1] += static_cast<double>(summary.hits) * weight;
    v[2] += static_cast<double>(summary.hitsAmongFive) * weight;
    v[3] += static_cast<double>(summary.images) * weight;
  }
  // Over the images that were added; `planned` says how many there should be.
  Totals totals(int64_t planned, double seconds) const {
    const at::Tensor host = values.to(at::kCPU);
    const auto* v = host.const_data_ptr<double>();
    const double n = v[3];
    const auto images = static_cast<int64_t>(std::llround(n));
    return {v[0] / n, 100 * v[1] / n, 100 * v[2] / n,
            seconds,  images,         planned - images};
  }
  at::Tensor values;  // losses, hits, hits among five, images
};

}  // namespace splitgrow
