// Layers without a window: how their work is cut, and the pass forward.
#include "engine/flat.h"

namespace splitgrow::engine {

namespace {

// Bytes that a chunk of a unit takes, and its pixels.
constexpr int64_t kForwardBytes = 20 << 10, kBackwardBytes = 24 << 10;
constexpr int64_t kLeast = 16, kLeastBack = 32, kMost = 64;

// A unit has as many pixels as leave work for several processors.
constexpr int64_t kMostSegment = 256, kLeastSegment = 64, kLeastUnits = 16;
constexpr int64_t kLeastUnitsBack = 2;

int64_t segmentOf(int64_t pixels, int64_t blocks) {
  int64_t each = kMostSegment;
  while (each > kLeastSegment &&
         blocks * ((pixels + each - 1) / each) < kLeastUnits)
    each /= 2;
  return each;
}

int64_t chunkOf(int64_t bytes, int64_t each, int64_t least) {
  return std::clamp(bytes / each / 4 * 4, least, kMost);
}

}  // namespace

Flat::Flat(Context* context, int node, const View& view, int out)
    : Producer(context, node, {view}, out),
      ci_(in().channels),
      co_(out_map().channels),
      pixels_(in().pixels()),
      segment_(segmentOf(pixels_, context->blocks)),
      segments_((pixels_ + segment_ - 1) / segment_),
      parts_(*context, co_, ci_) {
  planNarrow();
  planChunks();
  for (int64_t i = 0; i < std::max(ci_, taps_); ++i)
    offsets_.push_back(static_cast<int32_t>(i * chunk_));
  for (int64_t i = 0; i < std::max(ci_, std::max(co_, tapsBack_)); ++i)
    offsetsBack_.push_back(static_cast<int32_t>(i * chunkBack_));
  if (!isNarrow_) {
    packed_.resize(ci_ * co_);
    packedBack_.resize(ci_ * co_);
  }
  context->needScratch((taps_ + co_ + 3) * chunk_ + 3 * co_);
  Map& map = out_map();
  map.moments.resize(context->blocks * segments_, co_);
  for (int64_t b = 0; b < context->blocks; ++b)
    for (int64_t s = 0; s < segments_; ++s)
      map.moments.counts[b * segments_ + s] = static_cast<double>(
          context->imagesIn(b) *
          (std::min(pixels_, (s + 1) * segment_) - s * segment_));
}

void Flat::planChunks() {
  const auto vector = context_.lanes * static_cast<int64_t>(sizeof(float));
  chunk_ = chunkOf(kForwardBytes, vector * taps_, kLeast);
  chunkBack_ = chunkOf(kBackwardBytes, vector * (co_ + 2 * ci_), kLeastBack);
  isSeveral_ = pixels_ < chunkBack_;
  blocksEach_ =
      isSeveral_ ? std::clamp<int64_t>(
                       chunkBack_ / pixels_, 1,
                       std::max<int64_t>(1, context_.blocks / kLeastUnitsBack))
                 : 1;
  // Units of nearly equal size.
  const int64_t units = (context_.blocks + blocksEach_ - 1) / blocksEach_;
  blocksEach_ = (context_.blocks + units - 1) / units;
  if (isSeveral_) chunkBack_ = blocksEach_ * pixels_;
}

void Flat::pack() {
  const float* w = weights();
  if (isNarrow_) {
    packNarrow();
  } else {
    packTiles(
        table(), co_, ci_, [&](int64_t o, int64_t i) { return w[o * ci_ + i]; },
        packed_.data());
    packTiles(
        table(), ci_, co_, [&](int64_t i, int64_t o) { return w[o * ci_ + i]; },
        packedBack_.data());
  }
  if (wanted_ != Wanted::kProducts) return;
  const float* v = context_.inputs.directions[chain_];
  packedDirections_.resize(ci_ * count_);
  packTiles(
      table(), count_, ci_,
      [&](int64_t o, int64_t k) { return v[o * ci_ + k]; },
      packedDirections_.data());
}

void Flat::addForward(Stage* stage) {
  stage->segments.push_back(
      {context_.blocks * segments_, [this](int64_t unit, float* scratch) {
         forward(unit / segments_, unit % segments_, scratch);
       }});
}

void Flat::forward(int64_t b, int64_t s, float* scratch) {
  const int64_t lanes = context_.lanes;
  Map& map = out_map();
  float* sums = scratch + (taps_ + 2) * chunk_ * lanes;
  float* pivots = sums + 2 * co_ * lanes;
  Moments moments{context_.usesBatch && map.norm >= 0 ? sums : nullptr, pivots,
                  true};
  const int64_t end = std::min(pixels_, (s + 1) * segment_);
  for (int64_t q = s * segment_; q < end; q += chunk_) {
    const int64_t m = std::min(chunk_, end - q);
    Product product{scratch,   offsets_.data(),
                    taps_,     packed_.data(),
                    co_,       {1, m},
                    {0, 1},    context_.plane(map, b, 0) + q * lanes,
                    map.plane, {0, 1}};
    if (isNarrow_) {
      readPairs(b, q, m, scratch + taps_ * chunk_ * lanes, scratch);
      context_.narrow->forward(product, biases(), moments);
    } else {
      for (int64_t i = 0; i < ci_; ++i) {
        if (i + kAhead < ci_)
          context_.prefetch(context_.plane(in(), b, i + kAhead) + q * lanes, m);
        table().value(context_.reading(inputs_[0], i),
                      context_.plane(in(), b, i) + q * lanes, m,
                      scratch + i * chunk_ * lanes);
      }
      table().forward(product, biases(), moments);
    }
    moments.isFirst = false;
  }
  if (moments.sums != nullptr)
    context_.keepMoments(&map, b * segments_ + s, 0, co_, sums, pivots, b);
}

ProducerPtr flatProduct(Context* context, int node, const View& in, int out) {
  return std::make_unique<Flat>(context, node, in, out);
}

}  // namespace splitgrow::engine
