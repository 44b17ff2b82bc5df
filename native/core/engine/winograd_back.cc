// Winograd's convolutions: derivatives of what they read, and of their weights.
#include <array>

#include "engine/winograd.h"

namespace splitgrow::engine {

namespace {

// Memory of partial gradients of weights.
constexpr int64_t kPartialBytes = 1200 << 10, kMostParts = 16;
// With so many bytes of gradients a unit takes one group of components.
constexpr int64_t kLargeBytes = 256 << 10;
// Vectors of all components that are multiplied at a time.
constexpr int64_t kMostVectors = 20 << 10;
// Components of the groups of rows that share sums.
constexpr std::array<int64_t, 5> kGroups = {0, 6, 18, 30, 36};
constexpr int64_t kLargestGroup = 12;
constexpr int64_t kMostSums = 64;  // of a tile of gradients

}  // namespace

void Winograd::pack() {
  packAll(false, &forward_);
  if (isPlain())
    Convolution::pack();
  else
    packAll(true, &back_);
}

void Winograd::packAll(bool isBack, ComponentProducts* products) const {
  if (products->packed.empty()) return;
  const Cut& ranges = products->ranges;
  for (int64_t r = 0; r < ranges.parts; ++r)
    packRange(isBack, *products, ranges.at(r), ranges.size(r),
              products->packed.data() + ranges.at(r) * products->inputs,
              products->weightStep(products->outputs));
}

void Winograd::packRange(bool isBack, const ComponentProducts& products,
                         int64_t from, int64_t count, float* to,
                         int64_t step) const {
  const int64_t inputs = products.inputs;
  const int64_t output = isBack ? 9 : 9 * ci_, input = isBack ? 9 * ci_ : 9;
  const Cut tiles(count, table().tile);
  for (int64_t t = 0; t < tiles.parts; ++t)
    table().packWindows(weights() + (from + tiles.at(t)) * output, output,
                        input, {tiles.size(t), inputs}, isBack,
                        to + tiles.at(t) * inputs, step);
}

void Winograd::addBackward(Stage* stage, const std::vector<Target>& targets,
                           int which) {
  if (isPlain()) return Convolution::addBackward(stage, targets, which);
  target_ = targets[0];
  partial_ = &context_.memory.partial[which];
  if (wanted_ != Wanted::kNothing) {
    planWeights();
    stage->segments.push_back(
        {parts_ * groups_, [this](int64_t unit, float* scratch) {
           weightGradients(unit, scratch);
         }});
  }
  if (!target_.isWanted) return;
  const Areas& areas = back_.areas;
  if (isFused_ || !back_.packsInUnit())
    back_.packed.resize(kComponents * back_.weightStep(ci_));
  if (keepsSums(0, target_))
    in().derivatives.resize(context_.blocks * areas.count(), ci_);
  if (isFused_) return;
  context_.needScratch(back_.scratch() + areas.pixels() +
                       kSide * kSide * areas.tiles() + 2 * ci_);
  stage->segments.push_back(
      {back_.units(), [this](int64_t unit, float* scratch) {
         inputGradients(unit, scratch);
       }});
}

void Winograd::planWeights() {
  const Table& loops = table();
  const Cut outs(ci_, loops.outerOutputs), columns(co_, loops.outerTaps);
  vectors_ = 0;
  columns_.clear();
  for (int64_t u = 0; u < columns.parts; ++u) {
    columns_.push_back(vectors_);
    for (int64_t t = 0; t < outs.parts; ++t)
      vectors_ +=
          (outs.size(t) * columns.size(u) + loops.lanes - 1) / loops.lanes;
  }
  const int64_t bytes =
      kComponents * vectors_ * loops.lanes * int64_t{sizeof(float)};
  groups_ = bytes > kLargeBytes ? 4 : 1;
  isFused_ = groups_ == 1 && target_.isWanted;
  if (isFused_) back_.ranges = {ci_, ci_};
  const int64_t components = groups_ == 1 ? kComponents : kLargestGroup;
  const Areas& areas = back_.areas;
  const int64_t all = context_.blocks * areas.count();
  together_ = std::clamp<int64_t>(
      kMostVectors / (components * (ci_ + co_) * areas.tiles()), 1, all);
  const int64_t chunks = (all + together_ - 1) / together_;
  const int64_t most = std::clamp<int64_t>(kPartialBytes / bytes, 1,
                                           std::min(kMostParts, chunks));
  const int64_t each = (chunks + most - 1) / most;
  parts_ = (chunks + each - 1) / each;
  const int64_t plane = together_ * areas.tiles();
  offsetsWeights_.clear();
  for (int64_t o = 0; o < co_; ++o)
    offsetsWeights_.push_back(static_cast<int32_t>(o * plane));
  context_.needScratch(
      components * (componentStep(ci_, plane) + componentStep(co_, plane)) +
      areas.pixels() + kSide * kSide * areas.tiles() + 2 * ci_);
  partial_->reserve(parts_ * kComponents * vectors_ * loops.lanes);
}

void Winograd::weightGradients(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes, part = unit / groups_;
  const int64_t group = unit % groups_;
  const int64_t from = groups_ == 1 ? 0 : kGroups[group];
  const int64_t to = groups_ == 1 ? kComponents : kGroups[group + 1];
  float* sums = partial_->data() + part * kComponents * vectors_ * lanes;
  std::fill_n(sums + from * vectors_ * lanes, (to - from) * vectors_ * lanes,
              0.0f);
  const Areas& areas = back_.areas;
  const int64_t plane = together_ * areas.tiles();
  float* x = scratch;
  float* d = x + (to - from) * componentStep(co_, plane) * lanes;
  float* pixels = d + (to - from) * componentStep(ci_, plane) * lanes;
  const int64_t all = context_.blocks * areas.count();
  const int64_t chunks = (all + together_ - 1) / together_;
  const int64_t first = chunks * part / parts_ * together_;
  const int64_t last = std::min(all, chunks * (part + 1) / parts_ * together_);
  for (int64_t at = first; at < last; at += together_) {
    const int64_t end = std::min(last, at + together_);
    int64_t tiles = 0;
    for (int64_t i = at; i < end; ++i) {
      const Area area = areas.at(i % areas.count());
      readDerivatives(i / areas.count(), area, from, to, plane,
                      x + tiles * lanes, pixels);
      const int64_t columns = kSide * area.columns;
      for (int64_t c = 0; c < ci_; ++c) {
        readValues(i / areas.count(), c, kSide * area.y, kSide * area.x,
                   kSide * area.rows, columns, pixels);
        table().tilesOf({{area.rows, area.columns},
                         d + (c * plane + tiles) * lanes,
                         componentStep(ci_, plane),
                         columns},
                        pixels, from, to);
      }
      tiles += area.tiles();
    }
    addWeights(x, d, from, to, tiles, sums);
    if (!isFused_) continue;
    float* y = d;
    multiply(true, {0, 0, 0, 0, ci_}, offsetsWeights_, tiles, plane, x, y,
             nullptr);
    tiles = 0;
    for (int64_t i = at; i < end; ++i) {
      contribute(i / areas.count(), i % areas.count(), 0, ci_, plane,
                 y + tiles * lanes, pixels);
      tiles += areas.at(i % areas.count()).tiles();
    }
  }
}

void Winograd::addWeights(const float* x, const float* d, int64_t from,
                          int64_t to, int64_t tiles, float* sums) const {
  const int64_t lanes = context_.lanes;
  const int64_t plane = together_ * back_.areas.tiles();
  Outer outer;
  outer.plane = plane;
  outer.outputs = ci_;
  outer.offsets = offsetsWeights_.data();
  outer.taps = co_;
  outer.grid = {1, tiles};
  for (int64_t c = from; c < to; ++c) {
    outer.d = d + (c - from) * componentStep(ci_, plane) * lanes;
    outer.x = x + (c - from) * componentStep(co_, plane) * lanes;
    outer.w = sums + c * vectors_ * lanes;
    table().outer(outer);
  }
}

void Winograd::inputGradients(int64_t index, float* scratch) {
  const int64_t lanes = context_.lanes, plane = back_.plane();
  const ComponentProducts::Unit unit = back_.at(index);
  const Area area = back_.areas.at(unit.area);
  float* x = scratch;
  float* y = x + kComponents * componentStep(co_, plane) * lanes;
  float* pixels = scratch + back_.scratch() * lanes;
  for (int64_t k = 0; k < unit.blocks; ++k)
    readDerivatives(unit.block + k, area, 0, kComponents, plane,
                    x + k * area.tiles() * lanes, pixels);
  multiply(true, unit, offsetsBack_, unit.blocks * area.tiles(), plane, x, y,
           y + kComponents * componentStep(unit.outputs, plane) * lanes);
  for (int64_t k = 0; k < unit.blocks; ++k)
    contribute(unit.block + k, unit.area, unit.from, unit.outputs, plane,
               y + k * area.tiles() * lanes, pixels);
}

void Winograd::contribute(int64_t block, int64_t index, int64_t from,
                          int64_t count, int64_t plane, float* y,
                          float* scratch) {
  const int64_t lanes = context_.lanes;
  const Areas& areas = back_.areas;
  const Area area = areas.at(index);
  const int64_t top = kSide * area.y, left = kSide * area.x;
  Map& map = in();
  float* d = scratch;
  float* sums = d + kSide * kSide * areas.tiles() * lanes;
  const bool keeps = keepsSums(0, target_);
  if (keeps) std::fill_n(sums, 2 * count * lanes, 0.0f);
  const int64_t height = std::min(hi_ - top, kSide * area.rows);
  const int64_t width = std::min(wi_ - left, kSide * area.columns);
  // Whole rows of the map lie one behind the other.
  const int64_t runs = width == wi_ ? 1 : height;
  const View view{inputs_[0].map, context_.slopeOf(inputs_[0])};
  for (int64_t i = 0; i < count; ++i) {
    table().pixelsOf({{area.rows, area.columns},
                      y + i * plane * lanes,
                      componentStep(count, plane),
                      width},
                     {height, width}, 0, d, {});
    for (int64_t run = 0; run < runs; ++run) {
      const int64_t at = ((top + run) * wi_ + left) * lanes;
      table().contribute(context_.reading(view, from + i),
                         context_.plane(map, block, from + i) + at,
                         d + run * width * lanes, height / runs * width,
                         target_.adds,
                         context_.gradients(map, block, from + i) + at,
                         keeps ? sums + 2 * i * lanes : nullptr);
    }
  }
  if (keeps)
    context_.keepDerivatives(&map, block * areas.count() + index, from, count,
                             sums);
}

void Winograd::addFold(Stage* stage) {
  if (isPlain()) return Convolution::addFold(stage);
  stage->segments.push_back({static_cast<int64_t>(columns_.size()),
                             [this](int64_t u, float*) { fold(u); }});
}

void Winograd::fold(int64_t u) const {
  const int64_t lanes = context_.lanes;
  const Cut outs(ci_, table().outerOutputs), columns(co_, table().outerTaps);
  const int64_t width = columns.size(u);
  float* const gradient = foldsTo(context_, *this, wanted_, chain_);
  const float* from = partial_->data() + columns_[u] * lanes;
  alignas(64) float windows[9 * kMostSums];
  for (int64_t t = 0; t < outs.parts; ++t) {
    const int64_t count = outs.size(t) * width;
    const int64_t n = (count + lanes - 1) / lanes;
    table().sumWindows(from, parts_, kComponents * vectors_, vectors_, n,
                       windows);
    for (int64_t j = 0; j < count; ++j) {
      const int64_t i = outs.at(t) + j / width, o = columns.at(u) + j % width;
      // The window is turned: derivatives were moved past the values.
      for (int64_t k = 0; k < 9; ++k)
        gradient[9 * (o * ci_ + i) + 8 - k] = windows[k * n * lanes + j];
    }
    from += n * lanes;
  }
}

}  // namespace splitgrow::engine
