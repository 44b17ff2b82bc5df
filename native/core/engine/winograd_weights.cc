// Winograd's convolutions: weights as components, and their gradients.
#include <array>

#include "engine/kernels/points.h"
#include "engine/winograd.h"

namespace splitgrow::engine {

namespace {

using namespace winograd;

// Outputs of a product's tile, and sums of a tile of gradients, at most.
constexpr int64_t kMostOutputs = 8, kMostSums = 64;
// Memory of partial gradients, and sums of gradients that one unit makes whole.
constexpr int64_t kPartialBytes = int64_t{1} << 20, kMostParts = 16;
// From so many bytes of gradients on a unit makes those of one group.
constexpr int64_t kLargeBytes = 256 << 10;
// Vectors of all components that are multiplied at a time.
constexpr int64_t kMostVectors = 20 << 10;
constexpr int64_t kGroups = 4;
constexpr std::array<int64_t, kGroups + 1> kGroupBegin = {0, 6, 18, 30, 36};
constexpr int64_t kLargestGroup = 12;

// Weights of three places, to[6] of them at `step` floats, n of each.
void threeToSix(const float* w, int64_t step, int64_t n, float* to,
                int64_t toStep) {
  for (int64_t i = 0; i < n; ++i) {
    const float a = w[i], b = w[step + i], c = w[2 * step + i];
    const float evenP = kAtP * (a + kPp * c), oddP = kAtP * kP * b;
    const float evenQ = kAtQ * (a + kQq * c), oddQ = kAtQ * kQ * b;
    to[i] = kAtZero * a;
    to[toStep + i] = evenP + oddP;
    to[2 * toStep + i] = evenP - oddP;
    to[3 * toStep + i] = evenQ + oddQ;
    to[4 * toStep + i] = evenQ - oddQ;
    to[5 * toStep + i] = c;
  }
}

// The transpose of that.
void sixToThree(const float* u, int64_t step, int64_t n, float* to,
                int64_t toStep) {
  for (int64_t i = 0; i < n; ++i) {
    const float evenP = kAtP * (u[step + i] + u[2 * step + i]);
    const float oddP = kAtP * kP * (u[step + i] - u[2 * step + i]);
    const float evenQ = kAtQ * (u[3 * step + i] + u[4 * step + i]);
    const float oddQ = kAtQ * kQ * (u[3 * step + i] - u[4 * step + i]);
    to[i] = kAtZero * u[i] + evenP + evenQ;
    to[toStep + i] = oddP + oddQ;
    to[2 * toStep + i] = kPp * evenP + kQq * evenQ + u[5 * step + i];
  }
}

}  // namespace

void Winograd::pack() {
  packWeights(false, packed_.data());
  if (isPlain())
    Convolution::pack();
  else if (target_.isWanted)
    packWeights(true, packedBack_.data());
}

void Winograd::packWeights(bool isBack, float* to) const {
  const int64_t outputs = isBack ? ci_ : co_, inputs = isBack ? co_ : ci_;
  const Cut tiles(outputs, table().tile);
  constexpr int64_t row = kMostOutputs;
  float plain[9 * row] = {}, rows[18 * row], all[kComponents * row];
  for (int64_t t = 0; t < tiles.parts; ++t)
    for (int64_t j = 0; j < inputs; ++j) {
      const int64_t n = tiles.size(t);
      for (int64_t o = 0; o < n; ++o) {
        const int64_t at = tiles.at(t) + o;
        const float* w = weights() + 9 * (isBack ? j * ci_ + at : at * ci_ + j);
        // Back, the window is turned by half a circle.
        for (int64_t k = 0; k < 9; ++k)
          plain[k * row + o] = w[isBack ? 8 - k : k];
      }
      threeToSix(plain, 3 * row, 3 * row, rows, 3 * row);
      for (int64_t y = 0; y < 6; ++y)
        threeToSix(rows + 3 * y * row, row, row, all + 6 * y * row, row);
      float* place = to + tiles.at(t) * inputs + j * n;
      for (int64_t c = 0; c < kComponents; ++c)
        std::copy_n(all + c * row, n, place + c * outputs * inputs);
    }
}

void Winograd::planWeights() {
  const Table& loops = table();
  const Cut outs(co_, loops.outerOutputs), columns(ci_, loops.outerTaps);
  tile_ = 0;
  columns_.clear();
  for (int64_t u = 0; u < columns.parts; ++u) {
    columns_.push_back(tile_);
    for (int64_t t = 0; t < outs.parts; ++t)
      tile_ += (outs.size(t) * columns.size(u) + loops.lanes - 1) / loops.lanes;
  }
  const int64_t bytes = kComponents * tile_ * loops.lanes * int64_t{4};
  groupsEach_ = bytes > kLargeBytes ? 1 : kGroups;
  const int64_t components = groupsEach_ == 1 ? kLargestGroup : kComponents;
  together_ = std::max<int64_t>(
      1, kMostVectors / (components * (ci_ + co_) * areas_.tiles()));
  const int64_t areas = context_.blocks * areas_.count();
  together_ = std::min(together_, areas);
  parts_ = std::clamp<int64_t>(
      kPartialBytes / bytes, 1,
      std::min(kMostParts, (areas + together_ - 1) / together_));
  const int64_t tiles = together_ * areas_.tiles();
  offsetsWeights_.clear();
  for (int64_t i = 0; i < ci_; ++i)
    offsetsWeights_.push_back(static_cast<int32_t>(i * tiles));
  context_.needScratch(components * (step(ci_, tiles) + step(co_, tiles)) +
                       areas_.pixels());
  partial_->reserve(parts_ * kComponents * tile_ * loops.lanes);
}

void Winograd::weightGradients(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes, groups = kGroups / groupsEach_;
  const int64_t part = unit / groups;
  const int64_t from = kGroupBegin[unit % groups * groupsEach_];
  const int64_t to = kGroupBegin[(unit % groups + 1) * groupsEach_];
  float* w = partial_->data() + part * kComponents * tile_ * lanes;
  std::fill_n(w + from * tile_ * lanes, (to - from) * tile_ * lanes, 0.0f);
  const int64_t plane = together_ * areas_.tiles();
  float* x = scratch;
  float* d = x + (to - from) * step(ci_, plane) * lanes;
  float* pixels = d + (to - from) * step(co_, plane) * lanes;
  const int64_t all = context_.blocks * areas_.count();
  const int64_t end = all * (part + 1) / parts_;
  for (int64_t at = all * part / parts_; at < end; at += together_) {
    int64_t tiles = 0;
    for (int64_t i = at; i < std::min(end, at + together_); ++i) {
      const int64_t b = i / areas_.count();
      const Area area = areas_.at(i % areas_.count());
      readComponents(b, area, from, to, plane, x + tiles * lanes,
                     d + tiles * lanes, pixels);
      tiles += area.tiles();
    }
    Outer outer;
    outer.plane = plane;
    outer.outputs = co_;
    outer.offsets = offsetsWeights_.data();
    outer.taps = ci_;
    outer.grid = {1, tiles};
    for (int64_t c = from; c < to; ++c) {
      outer.d = d + (c - from) * step(co_, plane) * lanes;
      outer.x = x + (c - from) * step(ci_, plane) * lanes;
      outer.w = w + c * tile_ * lanes;
      table().outer(outer);
    }
  }
}

void Winograd::readComponents(int64_t b, const Area& area, int64_t from,
                              int64_t to, int64_t plane, float* x, float* d,
                              float* pixels) const {
  const int64_t lanes = context_.lanes;
  const int64_t top = kSide * area.y, left = kSide * area.x;
  const int64_t rows = kSide * area.rows, columns = kSide * area.columns;
  const Grid grid{area.rows, area.columns};
  for (int64_t i = 0; i < ci_; ++i) {
    readValues(b, i, top - padding_, left - padding_, rows + kBorder,
               columns + kBorder, pixels);
    table().patchesOf(
        {grid, x + i * plane * lanes, step(ci_, plane), columns + kBorder},
        pixels, from, to);
  }
  for (int64_t o = 0; o < co_; ++o) {
    readDerivatives(b, o, top, left, rows, columns, pixels);
    table().tilesOf({grid, d + o * plane * lanes, step(co_, plane), columns},
                    pixels, from, to);
  }
}

void Winograd::addFold(Stage* stage) {
  if (isPlain()) return Convolution::addFold(stage);
  stage->segments.push_back({static_cast<int64_t>(columns_.size()),
                             [this](int64_t u, float*) { fold(u); }});
}

void Winograd::fold(int64_t u) const {
  const Table& loops = table();
  const int64_t lanes = loops.lanes;
  const Cut outs(co_, loops.outerOutputs), columns(ci_, loops.outerTaps);
  const int64_t width = columns.size(u);
  float* const gradient = foldsTo(context_, *this, wanted_, chain_);
  const float* from = partial_->data() + columns_[u] * lanes;
  constexpr int64_t row = kMostSums;
  float sums[kComponents * row], rows[18 * row], plain[9 * row];
  for (int64_t t = 0; t < outs.parts; ++t) {
    const int64_t count = outs.size(t) * width;
    for (int64_t c = 0; c < kComponents; ++c) {
      float* sum = sums + c * row;
      std::fill_n(sum, count, 0.0f);
      for (int64_t p = 0; p < parts_; ++p) {
        const float* part = from + (p * kComponents + c) * tile_ * lanes;
        for (int64_t i = 0; i < count; ++i) sum[i] += part[i];
      }
    }
    for (int64_t x = 0; x < 6; ++x)
      sixToThree(sums + x * row, 6 * row, count, rows + x * row, 6 * row);
    for (int64_t y = 0; y < 3; ++y)
      sixToThree(rows + 6 * y * row, row, count, plain + 3 * y * row, row);
    for (int64_t i = 0; i < count; ++i) {
      float* to = gradient + 9 * ((outs.at(t) + i / width) * ci_ +
                                  columns.at(u) + i % width);
      for (int64_t k = 0; k < 9; ++k) to[k] = plain[k * row + i];
    }
    from += (count + lanes - 1) / lanes * lanes;
  }
}

}  // namespace splitgrow::engine
