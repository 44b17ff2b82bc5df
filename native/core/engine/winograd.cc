// Winograd's convolutions: the pass forward, and derivatives of what they read.
#include "engine/winograd.h"

namespace splitgrow::engine {

namespace {

// Tiles of an area, and vectors of one component of an area: they bound the
// scratch memory.
constexpr int64_t kMostTiles = 8, kMostVectors = 1024;
// Transforming a tile of one channel takes as long as so many multiply-adds.
constexpr int64_t kTransform = 240;
// It pays where it takes at most this share of the plain way's time.
constexpr double kWorth = 0.8;

int64_t tilesAlong(int64_t size) {
  return (size + Winograd::kSide - 1) / Winograd::kSide;
}

int64_t mostTiles(const Map& in, const Map& out) {
  return std::clamp<int64_t>(kMostVectors / (in.channels + out.channels), 1,
                             kMostTiles);
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
      areas_(ho_, wo_, mostTiles(in(), out_map())),
      areasBack_(hi_, wi_, mostTiles(in(), out_map())),
      offsets_(spaced(ci_, areas_.tiles())),
      offsetsBack_(spaced(co_, areasBack_.tiles())) {
  packed_.resize(kComponents * co_ * ci_);
  context->needScratch(
      kComponents * (step(ci_, areas_.tiles()) + step(co_, areas_.tiles())) +
      areas_.pixels() + 3 * co_);
  Map& map = out_map();
  map.moments.resize(context_.blocks * areas_.count(), co_);
  for (int64_t b = 0; b < context_.blocks; ++b)
    for (int64_t i = 0; i < areas_.count(); ++i) {
      const Area area = areas_.at(i);
      map.moments.counts[b * areas_.count() + i] = static_cast<double>(
          context_.imagesIn(b) *
          std::min(ho_ - kSide * area.y, kSide * area.rows) *
          std::min(wo_ - kSide * area.x, kSide * area.columns));
    }
}

void Winograd::addForward(Stage* stage) {
  stage->segments.push_back(
      {context_.blocks * areas_.count(),
       [this](int64_t unit, float* scratch) { forward(unit, scratch); }});
}

void Winograd::addBackward(Stage* stage, const std::vector<Target>& targets,
                           int which) {
  if (isPlain()) return Convolution::addBackward(stage, targets, which);
  target_ = targets[0];
  partial_ = &context_.memory.partial[which];
  if (wanted_ != Wanted::kNothing) planWeights();
  if (wanted_ != Wanted::kNothing)
    stage->segments.push_back(
        {parts_ * 4 / groupsEach_, [this](int64_t unit, float* scratch) {
           weightGradients(unit, scratch);
         }});
  if (!target_.isWanted) return;
  const int64_t tiles = areasBack_.tiles();
  packedBack_.resize(kComponents * co_ * ci_);
  context_.needScratch(kComponents * (step(ci_, tiles) + step(co_, tiles)) +
                       areasBack_.pixels() + kSide * kSide * tiles + 2 * ci_);
  const int64_t units = context_.blocks * areasBack_.count();
  if (keepsSums(0, target_)) in().derivatives.resize(units, ci_);
  stage->segments.push_back({units, [this](int64_t unit, float* scratch) {
                               inputGradients(unit, scratch);
                             }});
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
               table().value(r, z + at * context_.lanes, n, row);
             });
}

void Winograd::readDerivatives(int64_t block, int64_t channel, int64_t top,
                               int64_t left, int64_t rows, int64_t columns,
                               float* to) const {
  readPixels(out_map(), top, left, rows, columns, to,
             [&](int64_t at, int64_t n, float* row) {
               context_.derivative(out_map(), block, channel, at, n, row);
             });
}

void Winograd::multiply(const Area& area, int64_t inputs, int64_t outputs,
                        int64_t tiles, const float* packed,
                        const std::vector<int32_t>& offsets, const float* x,
                        float* y) const {
  const int64_t lanes = context_.lanes;
  for (int64_t c = 0; c < kComponents; ++c)
    table().forward({x + c * step(inputs, tiles) * lanes,
                     offsets.data(),
                     inputs,
                     packed + c * inputs * outputs,
                     outputs,
                     {1, area.tiles()},
                     {0, 1},
                     y + c * step(outputs, tiles) * lanes,
                     tiles,
                     {0, 1}},
                    nullptr, {});
}

void Winograd::forward(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes, b = unit / areas_.count();
  const Area area = areas_.at(unit % areas_.count());
  const int64_t tiles = areas_.tiles();
  const int64_t rows = kSide * area.rows + kBorder;
  const int64_t columns = kSide * area.columns + kBorder;
  float* x = scratch;
  float* y = x + kComponents * step(ci_, tiles) * lanes;
  float* pixels = y + kComponents * step(co_, tiles) * lanes;
  float* sums = pixels + areas_.pixels() * lanes;
  float* pivots = sums + 2 * co_ * lanes;
  for (int64_t i = 0; i < ci_; ++i) {
    readValues(b, i, kSide * area.y - padding_, kSide * area.x - padding_, rows,
               columns, pixels);
    table().patchesOf({{area.rows, area.columns},
                       x + i * tiles * lanes,
                       step(ci_, tiles),
                       columns},
                      pixels, 0, kComponents);
  }
  multiply(area, ci_, co_, tiles, packed_.data(), offsets_, x, y);
  Map& map = out_map();
  const bool wantsMoments = context_.usesBatch && map.norm >= 0;
  for (int64_t o = 0; o < co_; ++o)
    table().pixelsOf(
        {{area.rows, area.columns},
         y + o * tiles * lanes,
         step(co_, tiles),
         wo_},
        {ho_ - kSide * area.y, wo_ - kSide * area.x},
        biases() == nullptr ? 0 : biases()[o],
        context_.plane(map, b, o) +
            (kSide * area.y * wo_ + kSide * area.x) * lanes,
        {wantsMoments ? sums + 2 * o * lanes : nullptr, pivots + o, true});
  if (wantsMoments) context_.keepMoments(&map, unit, 0, co_, sums, pivots, b);
}

void Winograd::inputGradients(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes, b = unit / areasBack_.count();
  const Area area = areasBack_.at(unit % areasBack_.count());
  const int64_t tiles = areasBack_.tiles();
  const int64_t top = kSide * area.y, left = kSide * area.x;
  const int64_t columns = kSide * area.columns + kBorder;
  float* x = scratch;
  float* y = x + kComponents * step(co_, tiles) * lanes;
  float* pixels = y + kComponents * step(ci_, tiles) * lanes;
  float* d = pixels + areasBack_.pixels() * lanes;
  float* sums = d + kSide * kSide * tiles * lanes;
  for (int64_t o = 0; o < co_; ++o) {
    readDerivatives(b, o, top + padding_ - kBorder, left + padding_ - kBorder,
                    kSide * area.rows + kBorder, columns, pixels);
    table().patchesOf({{area.rows, area.columns},
                       x + o * tiles * lanes,
                       step(co_, tiles),
                       columns},
                      pixels, 0, kComponents);
  }
  multiply(area, co_, ci_, tiles, packedBack_.data(), offsetsBack_, x, y);
  Map& map = in();
  const bool keeps = keepsSums(0, target_);
  if (keeps) std::fill_n(sums, 2 * ci_ * lanes, 0.0f);
  const int64_t height = std::min(hi_ - top, kSide * area.rows);
  const int64_t width = std::min(wi_ - left, kSide * area.columns);
  // Whole rows of the map lie one behind the other.
  const int64_t runs = width == wi_ ? 1 : height;
  for (int64_t i = 0; i < ci_; ++i) {
    table().pixelsOf({{area.rows, area.columns},
                      y + i * tiles * lanes,
                      step(ci_, tiles),
                      width},
                     {height, width}, 0, d, {});
    const View view{inputs_[0].map, context_.slopeOf(inputs_[0])};
    for (int64_t run = 0; run < runs; ++run) {
      const int64_t at = ((top + run) * wi_ + left) * lanes;
      table().contribute(context_.reading(view, i),
                         context_.plane(map, b, i) + at,
                         d + run * width * lanes, height / runs * width,
                         target_.adds, context_.gradients(map, b, i) + at,
                         keeps ? sums + 2 * i * lanes : nullptr);
    }
  }
  if (keeps) context_.keepDerivatives(&map, unit, 0, ci_, sums);
}

}  // namespace splitgrow::engine
