// Device-resident images and labels, and minibatches made of them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace splitgrow {

struct Dataset {
  at::Tensor images;              // uint8 or float32 [N, C, H, W], contiguous
  at::Tensor labels;              // int64 [N]
  std::vector<double> mean, std;  // per channel; empty: none
  int64_t classes = 0;
  int64_t size() const { return images.size(0); }
};

// Throws Error: E_DATA, E_LABELS or E_NOT_FINITE.
void checkDataset(const Dataset& data);

struct Augment {
  bool flip = false;
  int64_t crop = 0;  // zero padding before a random crop back to size
};

struct Batch {
  at::Tensor images;  // the network's dtype and device, channels_last
  at::Tensor labels;
};

// One sweep over a dataset: the order and every random choice are drawn at
// the start from `seed`, so that a sweep is the same wherever it is run.
class Sweep {
 public:
  Sweep(const Dataset& data, int64_t batch, bool shuffle, Augment augment,
        uint64_t seed, at::TensorOptions options);
  int64_t steps() const { return (data_.size() + batch_ - 1) / batch_; }
  Batch batch(int64_t step) const;

 private:
  at::Tensor augmented(const at::Tensor& picked, int64_t from,
                       int64_t count) const;
  at::Tensor loops(const at::Tensor& index, int64_t from, int64_t count) const;
  const Dataset& data_;
  int64_t batch_;
  Augment augment_;
  at::TensorOptions options_;
  at::Tensor order_;                 // int64 [N] on the host
  at::Tensor flips_, tops_, lefts_;  // int64 [N] on the host, by position
};

}  // namespace splitgrow
