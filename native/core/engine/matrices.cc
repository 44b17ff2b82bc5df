// Tiles of splitting matrices.
#include "engine/matrices.h"

namespace splitgrow::engine {

namespace {

// From this dimension on the values of a layer are read anew for every few
// tiles of neurons: that costs less than sums of every part.
constexpr int64_t kLarge = 48;
// Tiles that such a unit makes side by side, where that leaves work for several
// processors.
constexpr int64_t kTiles = 4, kLeastUnits = 8;

}  // namespace

MatrixWork::MatrixWork(const Context& context, int64_t from, int64_t count,
                       int64_t taps, int64_t parts)
    : from_(from),
      count_(count),
      taps_(taps),
      lanes_(context.lanes),
      tileOutputs_(context.table.outerOutputs),
      tileTaps_(context.table.outerTaps),
      parts_(taps >= kLarge ? 1 : parts) {
  const int64_t tiles = (count_ + tileOutputs_ - 1) / tileOutputs_;
  if (taps >= kLarge)
    ranges_ = std::max(tiles / kTiles, std::min(tiles, kLeastUnits));
  for (int64_t t = 0; t < tiles; ++t) {
    tiles_.push_back(vectors_);
    const int64_t neurons = count_ * (t + 1) / tiles - count_ * t / tiles;
    std::vector<int64_t> rows;
    int64_t at = 0;
    for (int64_t i = 0; i < taps_; ++i) {
      rows.push_back(at);
      for (int64_t j = i; j < taps_; j += tileTaps_)
        at += (neurons * std::min(tileTaps_, taps_ - j) + lanes_ - 1) / lanes_;
    }
    rows_.push_back(std::move(rows));
    vectors_ += at;
  }
  partial_.reserve(parts_ * vectors_ * lanes_);
}

int64_t MatrixWork::firstOf(int64_t unit) const {
  return from_ + neuronOf(firstTile(unit % ranges_));
}
int64_t MatrixWork::countOf(int64_t unit) const {
  const int64_t range = unit % ranges_;
  return neuronOf(firstTile(range + 1)) - neuronOf(firstTile(range));
}
int64_t MatrixWork::most() const {
  int64_t most = 0;
  for (int64_t i = 0; i < ranges_; ++i) most = std::max(most, countOf(i));
  return most;
}
float* MatrixWork::begin(int64_t unit) {
  const int64_t range = unit % ranges_;
  const int64_t from = tiles_[firstTile(range)];
  const int64_t end =
      range + 1 == ranges_ ? vectors_ : tiles_[firstTile(range + 1)];
  float* to = partial_.data() + (unit / ranges_ * vectors_ + from) * lanes_;
  std::fill_n(to, (end - from) * lanes_, 0.0f);
  return to;
}

void MatrixWork::addFold(Stage* stage, std::function<float*()> sums) {
  stage->segments.push_back(
      {taps_, [this, sums](int64_t i, float*) { fold(i, sums()); }});
}

void MatrixWork::fold(int64_t i, float* sums) const {
  for (int64_t t = 0; t < tiles(); ++t) {
    const int64_t first = neuronOf(t), neurons = neuronOf(t + 1) - first;
    int64_t at = tiles_[t] + rows_[t][i];
    for (int64_t j = i; j < taps_; j += tileTaps_) {
      const int64_t width = std::min(tileTaps_, taps_ - j);
      for (int64_t p = 0; p < parts_; ++p) {
        const float* from = partial_.data() + (p * vectors_ + at) * lanes_;
        for (int64_t o = 0; o < neurons; ++o)
          for (int64_t k = 0; k < width; ++k)
            sums[(i * taps_ + j + k) * count_ + first + o] +=
                from[o * width + k];
      }
      at += (neurons * width + lanes_ - 1) / lanes_;
    }
  }
}

}  // namespace splitgrow::engine
