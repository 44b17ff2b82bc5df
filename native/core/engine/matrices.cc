// Sums of splitting matrices, by tiles.
#include "engine/matrices.h"

#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

// From this dimension on a unit sums over all positions, and the values of a
// layer are read anew for every range of neurons: that costs less than sums of
// every part.
constexpr int64_t kLarge = 48;
// Tiles of neurons in such a range, where that leaves work for several
// processors.
constexpr int64_t kTiles = 4, kLeastRanges = 8;
constexpr int64_t kMostParts = 16;

int64_t rangesFor(int64_t count, int64_t tile) {
  const int64_t tiles = (count + tile - 1) / tile;
  return std::max(tiles / kTiles, std::min(tiles, kLeastRanges));
}

}  // namespace

MatrixWork::MatrixWork(const Context& context, int64_t from, int64_t count,
                       int64_t taps, int64_t parts)
    : from_(from),
      count_(count),
      taps_(taps),
      lanes_(context.lanes),
      tileTaps_(context.table.outerTaps),
      parts_(taps >= kLarge ? 1 : std::min(parts, kMostParts)) {
  const int64_t tile = context.table.outerOutputs;
  const int64_t ranges = taps >= kLarge ? rangesFor(count, tile) : 1;
  for (int64_t r = 0; r < ranges; ++r) {
    const int64_t first = count * r / ranges;
    ranges_.push_back({first, count * (r + 1) / ranges - first, vectors_});
    const Cut outs(ranges_.back().count, tile);
    for (int64_t t = 0; t < outs.parts; ++t)
      addTile(first + outs.at(t), outs.size(t));
  }
  partial_.reserve(parts_ * vectors_ * lanes_);
}

void MatrixWork::addTile(int64_t first, int64_t count) {
  Tile tile{first, count, vectors_, {}};
  int64_t at = 0;
  for (int64_t i = 0; i < taps_; ++i) {
    tile.rows.push_back(at);
    for (int64_t j = i; j < taps_; j += tileTaps_)
      at += (count * std::min(tileTaps_, taps_ - j) + lanes_ - 1) / lanes_;
  }
  vectors_ += at;
  tiles_.push_back(std::move(tile));
}

int64_t MatrixWork::most() const {
  int64_t most = 0;
  for (const Range& range : ranges_) most = std::max(most, range.count);
  return most;
}

float* MatrixWork::begin(int64_t unit) {
  const int64_t r = unit % ranges();
  const int64_t end = r + 1 < ranges() ? ranges_[r + 1].begin : vectors_;
  float* to =
      partial_.data() + (partOf(unit) * vectors_ + ranges_[r].begin) * lanes_;
  std::fill_n(to, (end - ranges_[r].begin) * lanes_, 0.0f);
  return to;
}

void MatrixWork::addFold(Stage* stage, std::function<float*()> sums) {
  stage->segments.push_back(
      {taps_, [this, sums](int64_t i, float*) { fold(i, sums()); }});
}

void MatrixWork::fold(int64_t i, float* sums) const {
  for (const Tile& tile : tiles_) {
    int64_t at = tile.begin + tile.rows[i];
    for (int64_t j = i; j < taps_; j += tileTaps_) {
      const int64_t width = std::min(tileTaps_, taps_ - j);
      float* const to = sums + (i * taps_ + j) * count_ + tile.first;
      for (int64_t p = 0; p < parts_; ++p) {
        const float* from = partial_.data() + (p * vectors_ + at) * lanes_;
        for (int64_t o = 0; o < tile.count; ++o)
          for (int64_t k = 0; k < width; ++k) to[k * count_ + o] += *from++;
      }
      at += (tile.count * width + lanes_ - 1) / lanes_;
    }
  }
}

}  // namespace splitgrow::engine
