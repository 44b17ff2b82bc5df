// Splitting matrices of a layer: how the work is cut, and where sums go.
#pragma once

#include "engine/context.h"

namespace splitgrow::engine {

// S = sum over positions of h x x^T of neurons [from, from + count) of a layer
// with `taps` inputs a position. Small matrices have a sum for each part of the
// positions; large ones are summed by one unit for some neurons at a time.
class MatrixWork {
 public:
  MatrixWork(const Context& context, int64_t from, int64_t count, int64_t taps,
             int64_t parts);

  int64_t units() const { return parts_ * ranges(); }
  // Of positions, and the neurons of a unit.
  int64_t parts() const { return parts_; }
  int64_t partOf(int64_t unit) const { return unit / ranges(); }
  int64_t firstOf(int64_t unit) const { return from_ + rangeOf(unit).first; }
  int64_t countOf(int64_t unit) const { return rangeOf(unit).count; }
  int64_t most() const;  // neurons of a unit
  // Where a unit adds its tiles; begins with 0.
  float* begin(int64_t unit);
  // Adds the tiles to sums[(i * taps + j) * count + neuron], i <= j.
  void addFold(Stage* stage, std::function<float*()> sums);

 private:
  // Of neurons: tiles, as the loops cut them, one after the other.
  struct Tile {
    int64_t first, count;
    int64_t begin;              // vectors of a part before it
    std::vector<int64_t> rows;  // and of the tile before row i
  };
  struct Range {
    int64_t first, count, begin;
  };
  int64_t ranges() const { return static_cast<int64_t>(ranges_.size()); }
  const Range& rangeOf(int64_t unit) const { return ranges_[unit % ranges()]; }
  void addTile(int64_t first, int64_t count);
  void fold(int64_t i, float* sums) const;

  const int64_t from_, count_, taps_, lanes_, tileTaps_;
  int64_t parts_;
  std::vector<Range> ranges_;
  std::vector<Tile> tiles_;
  int64_t vectors_ = 0;  // of a part
  Buffer partial_;
};

}  // namespace splitgrow::engine
