// Winograd's convolutions: how their work is cut, and the pass forward.
#include "engine/winograd.h"

namespace splitgrow::engine {

namespace {

// Tiles of an area, and vectors of one component of an area: they bound the
// scratch memory.
constexpr int64_t kMostTiles = 8, kMostVectors = 1024;
// Tiles side by side that fill the columns of a product, and units of a pass.
constexpr int64_t kEnoughTiles = 4, kLeastUnits = 4;
// Transforming a tile of one channel takes as long as so many multiply-adds.
constexpr int64_t kTransform = 240;
// It pays where it takes at most this share of the plain way's time.
constexpr double kWorth = 0.8;

// Of the next channel, while this one is worked on.
void prefetch(const float* from, int64_t floats) {
  for (int64_t i = 0; i < floats; i += 16) __builtin_prefetch(from + i);
}

int64_t tilesAlong(int64_t size) {
  return (size + Winograd::kSide - 1) / Winograd::kSide;
}

Areas areasOf(const Map& map, int64_t channels) {
  return {map.height, map.width,
          std::clamp<int64_t>(kMostVectors / channels, 1, kMostTiles)};
}

std::vector<int32_t> spaced(int64_t n, int64_t step) {
  std::vector<int32_t> all;
  for (int64_t i = 0; i < n; ++i) all.push_back(static_cast<int32_t>(i * step));
  return all;
}

}  // namespace

Areas::Areas(int64_t height, int64_t width, int64_t most)
    : columns_(tilesAlong(width), most),
      rows_(tilesAlong(height),
            std::max<int64_t>(1, most / columns_.size(columns_.parts - 1))) {
  // The last part is the largest.
  const int64_t rows = rows_.size(rows_.parts - 1);
  const int64_t columns = columns_.size(columns_.parts - 1);
  tiles_ = rows * columns;
  pixels_ = (Winograd::kSide * rows + Winograd::kBorder) *
            (Winograd::kSide * columns + Winograd::kBorder);
}

Areas::Area Areas::at(int64_t i) const {
  const int64_t y = i / columns_.parts, x = i % columns_.parts;
  return {rows_.at(y), columns_.at(x), rows_.size(y), columns_.size(x)};
}

ComponentProducts::ComponentProducts(const Context& context, int64_t inputs_,
                                     int64_t outputs_, const Areas& areas_)
    : inputs(inputs_),
      outputs(outputs_),
      areas(areas_),
      lanes(context.lanes),
      blocks(context.blocks),
      together(
          areas.count() > 1
              ? 1
              : std::clamp<int64_t>(kEnoughTiles / areas.tiles(), 1, blocks)),
      groups((blocks + together - 1) / together),
      ranges(outputs, outputs) {
  const int64_t wanted = std::clamp<int64_t>(
      kLeastUnits / (groups * areas.count()), 1,
      (outputs + context.table.tile - 1) / context.table.tile);
  ranges = {outputs, (outputs + wanted - 1) / wanted};
}

ComponentProducts::Unit ComponentProducts::at(int64_t unit) const {
  const int64_t range = unit % ranges.parts;
  const int64_t rest = unit / ranges.parts;
  const int64_t first = rest / areas.count() * together;
  return {first, std::min(together, blocks - first), rest % areas.count(),
          ranges.at(range), ranges.size(range)};
}

int64_t ComponentProducts::scratch() const {
  const int64_t most = ranges.size(ranges.parts - 1);
  const int64_t weights =
      packsInUnit() ? kComponents * weightStep(most) / lanes + 1 : 0;
  return kComponents *
             (componentStep(inputs, plane()) + componentStep(most, plane())) +
         weights;
}

bool Winograd::suits(const Context& context, int node, const Map& in,
                     const Map& out) {
  const auto& instruction = context.network.nodes[node];
  const Attributes& a = instruction.attributes();
  if (instruction.parameters[0].size(2) != 3 || a.stride != 1 || a.groups != 1)
    return false;
  const int64_t tiles = tilesAlong(out.height) * tilesAlong(out.width);
  const int64_t products = in.channels * out.channels;
  const auto cost =
      static_cast<double>(tiles * (kComponents * products +
                                   kTransform * (in.channels + out.channels)));
  return cost <= kWorth * static_cast<double>(9 * products * out.pixels());
}

Winograd::Winograd(Context* context, int node, const View& view, int out)
    : Convolution(context, node, view, out),
      forward_(*context, ci_, co_, areasOf(out_map(), ci_ + co_)),
      back_(*context, co_, ci_, areasOf(in(), ci_ + co_)),
      offsets_(spaced(ci_, forward_.plane())),
      offsetsBack_(spaced(co_, back_.plane())) {
  const Areas& areas = forward_.areas;
  if (!forward_.packsInUnit())
    forward_.packed.resize(kComponents * forward_.weightStep(co_));
  context->needScratch(forward_.scratch() + areas.pixels() + 3 * co_);
  Map& map = out_map();
  map.moments.resize(context_.blocks * areas.count(), co_);
  for (int64_t b = 0; b < context_.blocks; ++b)
    for (int64_t i = 0; i < areas.count(); ++i) {
      const Area area = areas.at(i);
      map.moments.counts[b * areas.count() + i] = static_cast<double>(
          context_.imagesIn(b) *
          std::min(ho_ - kSide * area.y, kSide * area.rows) *
          std::min(wo_ - kSide * area.x, kSide * area.columns));
    }
}

void Winograd::addForward(Stage* stage) {
  stage->segments.push_back(
      {forward_.units(),
       [this](int64_t unit, float* scratch) { forward(unit, scratch); }});
}

template <class Fill>
void Winograd::readPixels(const Map& map, int64_t top, int64_t left,
                          int64_t rows, int64_t columns, float* to,
                          Fill&& fill) const {
  const int64_t lanes = context_.lanes;
  const int64_t begin = std::max<int64_t>(0, left);
  const int64_t end = std::min(map.width, left + columns);
  for (int64_t y = top; y < top + rows; ++y, to += columns * lanes) {
    if (y < 0 || y >= map.height || begin >= end) {
      std::fill_n(to, columns * lanes, 0.0f);
      continue;
    }
    std::fill_n(to, (begin - left) * lanes, 0.0f);
    fill(y * map.width + begin, end - begin, to + (begin - left) * lanes);
    std::fill_n(to + (end - left) * lanes, (left + columns - end) * lanes,
                0.0f);
  }
}

void Winograd::readValues(int64_t block, int64_t channel, int64_t top,
                          int64_t left, int64_t rows, int64_t columns,
                          float* to) const {
  const Reading r = context_.reading(inputs_[0], channel);
  const float* z = context_.plane(in(), block, channel);
  readPixels(in(), top, left, rows, columns, to,
             [&](int64_t at, int64_t n, float* row) {
               const float* const from = z + at * context_.lanes;
               table().value(r, from, n, row);
               prefetch(from + in().plane * context_.lanes, n * context_.lanes);
             });
}

void Winograd::readDerivatives(int64_t block, const Area& area, int64_t from,
                               int64_t to, int64_t plane, float* x,
                               float* pixels) const {
  const int64_t lanes = context_.lanes;
  const int64_t columns = kSide * area.columns + kBorder;
  const Map& map = out_map();
  for (int64_t o = 0; o < co_; ++o) {
    readPixels(map, kSide * area.y + padding_ - kBorder,
               kSide * area.x + padding_ - kBorder, kSide * area.rows + kBorder,
               columns, pixels, [&](int64_t at, int64_t n, float* row) {
                 context_.derivative(map, block, o, at, n, row);
                 prefetch(context_.plane(map, block, o + 1) + at * lanes,
                          n * lanes);
                 prefetch(context_.gradients(map, block, o + 1) + at * lanes,
                          n * lanes);
               });
    table().patchesOf({{area.rows, area.columns},
                       x + o * plane * lanes,
                       componentStep(co_, plane),
                       columns},
                      pixels, from, to);
  }
}

void Winograd::multiply(bool isBack, const ComponentProducts::Unit& unit,
                        const std::vector<int32_t>& offsets, int64_t tiles,
                        int64_t plane, const float* x, float* y,
                        float* room) const {
  const ComponentProducts& products = isBack ? back_ : forward_;
  const int64_t lanes = context_.lanes, inputs = products.inputs;
  const bool isPacked = !products.packed.empty();
  const float* weights =
      isPacked ? products.packed.data() + inputs * unit.from : room;
  const int64_t step =
      products.weightStep(isPacked ? products.outputs : unit.outputs);
  if (!isPacked)
    packRange(isBack, products, unit.from, unit.outputs, room, step);
  for (int64_t c = 0; c < kComponents; ++c)
    table().forward({x + c * componentStep(inputs, plane) * lanes,
                     offsets.data(),
                     inputs,
                     weights + c * step,
                     unit.outputs,
                     {1, tiles},
                     {0, 1},
                     y + c * componentStep(unit.outputs, plane) * lanes,
                     plane,
                     {0, 1}},
                    nullptr, {});
}

void Winograd::forward(int64_t index, float* scratch) {
  const int64_t lanes = context_.lanes, plane = forward_.plane();
  const ComponentProducts::Unit unit = forward_.at(index);
  const Area area = forward_.areas.at(unit.area);
  const int64_t columns = kSide * area.columns + kBorder;
  const Grid grid{area.rows, area.columns};
  float* x = scratch;
  float* y = x + kComponents * componentStep(ci_, plane) * lanes;
  float* pixels = scratch + forward_.scratch() * lanes;
  float* sums = pixels + forward_.areas.pixels() * lanes;
  float* pivots = sums + 2 * unit.outputs * lanes;
  for (int64_t k = 0; k < unit.blocks; ++k)
    for (int64_t i = 0; i < ci_; ++i) {
      readValues(unit.block + k, i, kSide * area.y - padding_,
                 kSide * area.x - padding_, kSide * area.rows + kBorder,
                 columns, pixels);
      table().patchesOf({grid, x + (i * plane + k * area.tiles()) * lanes,
                         componentStep(ci_, plane), columns},
                        pixels, 0, kComponents);
    }
  multiply(false, unit, offsets_, unit.blocks * area.tiles(), plane, x, y,
           y + kComponents * componentStep(unit.outputs, plane) * lanes);
  Map& map = out_map();
  const bool wantsMoments = context_.usesBatch && map.norm >= 0;
  for (int64_t k = 0; k < unit.blocks; ++k) {
    const int64_t b = unit.block + k;
    for (int64_t i = 0; i < unit.outputs; ++i) {
      const int64_t o = unit.from + i;
      table().pixelsOf(
          {grid, y + (i * plane + k * area.tiles()) * lanes,
           componentStep(unit.outputs, plane), wo_},
          {ho_ - kSide * area.y, wo_ - kSide * area.x},
          biases() == nullptr ? 0 : biases()[o],
          context_.plane(map, b, o) +
              (kSide * area.y * wo_ + kSide * area.x) * lanes,
          {wantsMoments ? sums + 2 * i * lanes : nullptr, pivots + i, true});
    }
    if (wantsMoments)
      context_.keepMoments(&map, b * forward_.areas.count() + unit.area,
                           unit.from, unit.outputs, sums, pivots, b);
  }
}

}  // namespace splitgrow::engine
