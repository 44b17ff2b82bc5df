// Splitting matrices of a layer: how the work is cut, and where sums go.
#pragma once

#include "engine/context.h"

namespace splitgrow::engine {

// S = sum over positions of h x x^T of neurons [from, from + count) of a layer
// with `taps` inputs a position. Small matrices have a sum for each part of the
// positions; large ones are summed by one unit for a few neurons at a time.
class MatrixWork {
 public:
  MatrixWork(const Context& context, int64_t from, int64_t count, int64_t taps,
             int64_t parts);

  int64_t units() const { return parts_ * ranges_; }
  // Of positions, and the neurons of a unit.
  int64_t parts() const { return parts_; }
  int64_t partOf(int64_t unit) const { return unit / ranges_; }
  int64_t firstOf(int64_t unit) const;
  int64_t countOf(int64_t unit) const;
  int64_t most() const;  // neurons of a unit
  // Where a unit adds its tiles; begins with 0.
  float* begin(int64_t unit);
  // Adds the tiles to sums[(i * taps + j) * count + neuron], i <= j.
  void addFold(Stage* stage, std::function<float*()> sums);

 private:
  void fold(int64_t i, float* sums) const;
  int64_t tiles() const { return static_cast<int64_t>(tiles_.size()); }
  int64_t firstTile(int64_t range) const { return tiles() * range / ranges_; }
  int64_t neuronOf(int64_t tile) const { return count_ * tile / tiles(); }

  const int64_t from_, count_, taps_, lanes_, tileOutputs_, tileTaps_;
  int64_t parts_, ranges_ = 1;
  // Of the first vector of each tile of neurons, and of row i within it.
  std::vector<int64_t> tiles_;
  std::vector<std::vector<int64_t>> rows_;
  int64_t vectors_ = 0;
  Buffer partial_;
};

}  // namespace splitgrow::engine
