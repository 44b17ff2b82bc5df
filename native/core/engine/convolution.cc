// Convolutions of any kind: how their work is cut, and the pass forward.
#include "engine/convolution.h"

#include "engine/winograd.h"

namespace splitgrow::engine {

namespace {

// Bytes of a band: few channels fit the first cache, many the second.
constexpr int64_t kSmallBytes = 48 << 10, kLargeBytes = 256 << 10;
constexpr int64_t kFewChannels = 8;
constexpr int64_t kLeastUnits = 8;

}  // namespace

Convolution::Convolution(Context* context, int node, const View& view, int out)
    : Producer(context, node, {view}, out),
      groups_(instruction().attributes().groups),
      k_(instruction().parameters[0].size(2)),
      stride_(instruction().attributes().stride),
      padding_(instruction().attributes().padding),
      ci_(in().channels / groups_),
      co_(out_map().channels / groups_),
      hi_(in().height),
      wi_(in().width),
      ho_(out_map().height),
      wo_(out_map().width),
      width_(wi_ + 2 * padding_),
      taps_(ci_ * k_ * k_),
      parts_(*context, co_, taps_) {
  planForward();
  planBackward();
}

void Convolution::planForward() {
  const int64_t lanes = context_.lanes;
  const int64_t row = ci_ * width_ * lanes * int64_t{sizeof(float)};
  const int64_t bytes = ci_ <= kFewChannels ? kSmallBytes : kLargeBytes;
  const int64_t most = std::max<int64_t>(1, (bytes / row - k_) / stride_ + 1);
  const int64_t wanted = (kLeastUnits + context_.blocks - 1) / context_.blocks;
  bands_ = std::min(ho_, std::max((ho_ + most - 1) / most, wanted));
  rows_ = (ho_ + bands_ - 1) / bands_;
  bands_ = (ho_ + rows_ - 1) / rows_;
  height_ = (rows_ - 1) * stride_ + k_;
  for (int64_t i = 0; i < ci_; ++i)
    for (int64_t y = 0; y < k_; ++y)
      for (int64_t x = 0; x < k_; ++x)
        offsets_.push_back(
            static_cast<int32_t>((i * height_ + y) * width_ + x));
  packed_.resize(groups_ * co_ * taps_);
  const int64_t window = ci_ * height_ * width_;
  context_.needScratch(window + (co_ + 1) * rows_ * wo_ +
                       3 * out_map().channels);
  Map& map = out_map();
  map.moments.resize(context_.blocks * bands_, map.channels);
  for (int64_t b = 0; b < context_.blocks; ++b)
    for (int64_t s = 0; s < bands_; ++s)
      map.moments.counts[b * bands_ + s] =
          static_cast<double>(context_.imagesIn(b) * rowsOf(s) * wo_);
}

void Convolution::planBackward() {
  const int64_t reach = (k_ + stride_ - 1) / stride_;
  left_ = floorDiv(padding_, stride_) - (reach - 1);
  widthBack_ = floorDiv(wi_ - 1 + padding_, stride_) - left_ + 1;
  const int64_t row =
      co_ * widthBack_ * context_.lanes * int64_t{sizeof(float)};
  const int64_t bytes = co_ <= kFewChannels ? kSmallBytes : kLargeBytes;
  const int64_t most = std::max<int64_t>(1, (bytes / row - reach) * stride_);
  const int64_t wanted = (kLeastUnits + context_.blocks - 1) / context_.blocks;
  bandsBack_ = std::min(hi_, std::max((hi_ + most - 1) / most, wanted));
  rowsBack_ = (hi_ + bandsBack_ - 1) / bandsBack_;
  bandsBack_ = (hi_ + rowsBack_ - 1) / rowsBack_;
  heightBack_ = (rowsBack_ + stride_ - 1) / stride_ + reach;
  for (int64_t y = 0; y < stride_; ++y)
    for (int64_t x = 0; x < stride_; ++x) {
      Phase phase{y, x, tapsFrom(y), tapsFrom(x), {}, {}, {}};
      if (phase.taps() == 0) phase.ky = phase.kx = 0;
      for (int64_t o = 0; o < co_; ++o)
        for (int64_t a = 0; a < phase.ky; ++a)
          for (int64_t b = 0; b < phase.kx; ++b) {
            phase.offsets.push_back(
                static_cast<int32_t>((o * heightBack_ - a) * widthBack_ - b));
            phase.weights.push_back(static_cast<int32_t>(
                o * taps_ + (y + stride_ * a) * k_ + x + stride_ * b));
          }
      phase.packed.resize(groups_ * ci_ * co_ * phase.taps());
      phases_.push_back(std::move(phase));
    }
  context_.needScratch(co_ * heightBack_ * widthBack_ + ci_ * rowsBack_ * wi_ +
                       2 * in().channels);
}

void Convolution::pack() {
  const float* w = weights();
  for (int64_t g = 0; g < groups_; ++g) {
    const float* own = w + g * co_ * taps_;
    packTiles(
        table(), co_, taps_,
        [&](int64_t o, int64_t j) { return own[o * taps_ + j]; },
        packed_.data() + g * co_ * taps_);
  }
  for (Phase& phase : phases_)
    for (int64_t g = 0; g < groups_; ++g) {
      const float* own = w + g * co_ * taps_;
      packTiles(
          table(), ci_, co_ * phase.taps(),
          [&](int64_t i, int64_t j) {
            return own[phase.weights[j] + i * k_ * k_];
          },
          phase.packed.data() + g * ci_ * co_ * phase.taps());
    }
  if (wanted_ != Wanted::kProducts) return;
  const float* v = context_.inputs.directions[chain_];
  packedDirections_.resize(count_ * taps_);
  packTiles(
      table(), count_, taps_,
      [&](int64_t o, int64_t tap) { return v[o * taps_ + tap]; },
      packedDirections_.data());
}

void Convolution::addForward(Stage* stage) {
  stage->segments.push_back(
      {context_.blocks * bands_, [this](int64_t unit, float* scratch) {
         forward(unit / bands_, unit % bands_, scratch);
       }});
}

void Convolution::addBackward(Stage* stage, const std::vector<Target>& targets,
                              int which) {
  target_ = targets[0];
  partial_ = &context_.memory.partial[which];
  directions_ = wanted_ == Wanted::kProducts ? count_ : co_;
  if (directions_ != co_) parts_ = {context_, directions_, taps_};
  context_.needScratch(ci_ * height_ * width_ +
                       (directions_ + 1) * rows_ * wo_);
  partial_->reserve(parts() * groups_ * parts_.vectors() * context_.lanes);
  if (wanted_ == Wanted::kMatrices) {
    matrices_ = std::make_unique<MatrixWork>(context_, from_, count_, taps_,
                                             context_.blocks * bands_);
    stage->segments.push_back(
        {matrices_->units(),
         [this](int64_t unit, float* scratch) { addMatrices(unit, scratch); }});
  } else if (wanted_ != Wanted::kNothing)
    stage->segments.push_back({parts(), [this](int64_t unit, float* scratch) {
                                 weightGradients(unit, scratch);
                               }});
  if (!target_.isWanted) return;
  const int64_t units = context_.blocks * bandsBack_;
  if (keepsSums(0, target_)) in().derivatives.resize(units, in().channels);
  stage->segments.push_back({units, [this](int64_t unit, float* scratch) {
                               inputGradients(unit / bandsBack_,
                                              unit % bandsBack_, scratch);
                             }});
}

void Convolution::read(int64_t g, int64_t b, int64_t band, float* to) const {
  const int64_t lanes = context_.lanes;
  const int64_t top = band * rows_ * stride_ - padding_;
  for (int64_t i = 0; i < ci_; ++i) {
    const int64_t channel = g * ci_ + i;
    const Reading r = context_.reading(inputs_[0], channel);
    const float* z = context_.plane(in(), b, channel);
    for (int64_t y = 0; y < height_; ++y) {
      float* row = to + (i * height_ + y) * width_ * lanes;
      const int64_t from = top + y;
      if (from < 0 || from >= hi_) {
        std::fill_n(row, width_ * lanes, 0.0f);
        continue;
      }
      std::fill_n(row, padding_ * lanes, 0.0f);
      table().value(r, z + from * wi_ * lanes, wi_, row + padding_ * lanes);
      std::fill_n(row + (padding_ + wi_) * lanes, padding_ * lanes, 0.0f);
    }
  }
}

void Convolution::forward(int64_t b, int64_t band, float* scratch) {
  const int64_t lanes = context_.lanes;
  Map& map = out_map();
  float* sums = scratch + ci_ * height_ * width_ * lanes;
  float* pivots = sums + 2 * map.channels * lanes;
  const bool wantsMoments = context_.usesBatch && map.norm >= 0;
  for (int64_t g = 0; g < groups_; ++g) {
    read(g, b, band, scratch);
    const Moments moments{wantsMoments ? sums + 2 * g * co_ * lanes : nullptr,
                          pivots + g * co_, true};
    table().forward(
        {scratch,
         offsets_.data(),
         taps_,
         packed_.data() + g * co_ * taps_,
         co_,
         {rowsOf(band), wo_},
         {stride_ * width_, stride_},
         context_.plane(map, b, g * co_) + band * rows_ * wo_ * lanes,
         map.plane,
         {wo_, 1}},
        biases() == nullptr ? nullptr : biases() + g * co_, moments);
  }
  if (wantsMoments)
    context_.keepMoments(&map, b * bands_ + band, 0, map.channels, sums, pivots,
                         b);
}

ProducerPtr convolution(Context* context, int node, const View& in, int out) {
  const auto& maps = context->maps;
  if (Winograd::suits(*context, node, maps[in.map], maps[out]))
    return std::make_unique<Winograd>(context, node, in, out);
  return std::make_unique<Convolution>(context, node, in, out);
}

}  // namespace splitgrow::engine
