// Layers without a window: 1 x 1 convolutions of stride 1, and linear layers.
// A unit works on chunks of pixels whose values and derivatives stay in the
// caches.
#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

// Bytes that a chunk of a unit takes, and its pixels.
constexpr int64_t kForwardBytes = 20 << 10, kBackwardBytes = 24 << 10;
constexpr int64_t kLeast = 16, kLeastBack = 32, kMost = 64;

// A unit has as many pixels as leave work for several processors.
constexpr int64_t kMostSegment = 256, kLeastSegment = 64, kLeastUnits = 16;

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

class Flat : public Producer {
 public:
  Flat(Context* context, int node, const View& view, int out)
      : Producer(context, node, {view}, out),
        ci_(in().channels),
        co_(out_map().channels),
        pixels_(in().pixels()),
        segment_(segmentOf(pixels_, context->blocks)),
        segments_((pixels_ + segment_ - 1) / segment_),
        parts_(*context, co_, ci_) {
    const auto vector = context->lanes * static_cast<int64_t>(sizeof(float));
    chunk_ = chunkOf(kForwardBytes, vector * ci_, kLeast);
    chunkBack_ = chunkOf(kBackwardBytes, vector * (co_ + 2 * ci_), kLeastBack);
    isSeveral_ = pixels_ < chunkBack_;
    blocksEach_ = isSeveral_ ? std::clamp<int64_t>(chunkBack_ / pixels_, 1,
                                                   context->blocks)
                             : 1;
    if (isSeveral_) chunkBack_ = blocksEach_ * pixels_;
    for (int64_t i = 0; i < ci_; ++i)
      offsets_.push_back(static_cast<int32_t>(i * chunk_));
    for (int64_t i = 0; i < std::max(ci_, co_); ++i)
      offsetsBack_.push_back(static_cast<int32_t>(i * chunkBack_));
    packed_.resize(ci_ * co_);
    packedBack_.resize(ci_ * co_);
    context->needScratch((ci_ + co_ + 1) * chunk_ + 3 * co_);
    Map& map = out_map();
    map.moments.resize(context->blocks * segments_, co_);
    for (int64_t b = 0; b < context->blocks; ++b)
      for (int64_t s = 0; s < segments_; ++s)
        map.moments.counts[b * segments_ + s] = static_cast<double>(
            context->imagesIn(b) *
            (std::min(pixels_, (s + 1) * segment_) - s * segment_));
  }

  bool packs() const override { return true; }
  void pack() override {
    const float* w = weights();
    packTiles(
        table(), co_, ci_, [&](int64_t o, int64_t i) { return w[o * ci_ + i]; },
        packed_.data());
    packTiles(
        table(), ci_, co_, [&](int64_t i, int64_t o) { return w[o * ci_ + i]; },
        packedBack_.data());
    if (wanted_ != Wanted::kProducts) return;
    const float* v = context_.inputs.directions[chain_];
    packedDirections_.resize(ci_ * count_);
    packTiles(
        table(), count_, ci_,
        [&](int64_t o, int64_t k) { return v[o * ci_ + k]; },
        packedDirections_.data());
  }

  void addForward(Stage* stage) override {
    stage->segments.push_back(
        {context_.blocks * segments_, [this](int64_t unit, float* scratch) {
           forward(unit / segments_, unit % segments_, scratch);
         }});
  }

  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int which) override {
    target_ = targets[0];
    units_ = isSeveral_ ? (context_.blocks + blocksEach_ - 1) / blocksEach_
                        : context_.blocks * segments_;
    partial_ = &context_.memory.partial[which];
    if (wanted_ == Wanted::kProducts) parts_ = {context_, count_, ci_};
    partial_->reserve(units_ * parts_.vectors() * context_.lanes);
    rows_ = wanted_ == Wanted::kProducts ? count_ : 0;
    context_.needScratch((co_ + 2 * ci_ + rows_) * chunkBack_ + 2 * ci_);
    if (keepsSums(0, target_)) in().derivatives.resize(units_, ci_);
    if (wanted_ == Wanted::kMatrices) {
      matrices_ = std::make_unique<MatrixWork>(context_, from_, count_, ci_,
                                               context_.blocks * segments_);
      stage->segments.push_back(
          {matrices_->units(), [this](int64_t unit, float* scratch) {
             addMatrices(unit, scratch);
           }});
    }
    stage->segments.push_back({units_, [this](int64_t unit, float* scratch) {
                                 backward(unit, scratch);
                               }});
  }

  bool splits() const override { return true; }
  // Matrices are made by units of their own, which read the derivative too.
  bool isInPlace() const override { return wanted_ != Wanted::kMatrices; }
  bool folds() const override { return wanted_ != Wanted::kNothing; }
  void addFold(Stage* stage) override {
    if (wanted_ == Wanted::kMatrices)
      return matrices_->addFold(
          stage, [this] { return context_.inputs.matrices[chain_]; });
    stage->segments.push_back({parts_.columns(), [this](int64_t u, float*) {
                                 parts_.fold(
                                     u, partial_->data(), units_,
                                     parts_.vectors() * context_.lanes,
                                     foldsTo(context_, *this, wanted_, chain_));
                               }});
  }

 private:
  const float* weights() const {
    return instruction().parameters[0].const_data_ptr<float>();
  }
  const float* biases() const {
    const auto& p = instruction().parameters;
    return p.size() > 1 ? p[1].const_data_ptr<float>() : nullptr;
  }

  void forward(int64_t b, int64_t s, float* scratch) {
    const int64_t lanes = context_.lanes;
    Map& map = out_map();
    float* sums = scratch + ci_ * chunk_ * lanes;
    float* pivots = sums + 2 * co_ * lanes;
    Moments moments{context_.usesBatch && map.norm >= 0 ? sums : nullptr,
                    pivots, true};
    const int64_t end = std::min(pixels_, (s + 1) * segment_);
    for (int64_t q = s * segment_; q < end; q += chunk_) {
      const int64_t m = std::min(chunk_, end - q);
      for (int64_t i = 0; i < ci_; ++i)
        table().value(context_.reading(inputs_[0], i),
                      context_.plane(in(), b, i) + q * lanes, m,
                      scratch + i * chunk_ * lanes);
      table().forward({scratch,
                       offsets_.data(),
                       ci_,
                       packed_.data(),
                       co_,
                       {1, m},
                       {0, 1},
                       context_.plane(map, b, 0) + q * lanes,
                       map.plane,
                       {0, 1}},
                      biases(), moments);
      moments.isFirst = false;
    }
    if (moments.sums != nullptr)
      context_.keepMoments(&map, b * segments_ + s, 0, co_, sums, pivots, b);
  }

  void backward(int64_t unit, float* scratch) {
    const int64_t lanes = context_.lanes;
    float* w = partial_->data() + unit * parts_.vectors() * lanes;
    if (wanted_ == Wanted::kGradients || wanted_ == Wanted::kProducts)
      std::fill_n(w, parts_.vectors() * lanes, 0.0f);
    float* sums = scratch + (co_ + 2 * ci_ + rows_) * chunkBack_ * lanes;
    std::fill_n(sums, 2 * ci_ * lanes, 0.0f);
    if (isSeveral_) {
      const int64_t from = unit * blocksEach_;
      chunk(from, std::min(context_.blocks, from + blocksEach_), 0, pixels_,
            scratch, sums, w);
    } else {
      const int64_t b = unit / segments_, s = unit % segments_;
      const int64_t end = std::min(pixels_, (s + 1) * segment_);
      for (int64_t q = s * segment_; q < end; q += chunkBack_)
        chunk(b, b + 1, q, std::min(end, q + chunkBack_), scratch, sums, w);
    }
    if (keepsSums(0, target_))
      context_.keepDerivatives(&in(), unit, 0, ci_, sums);
  }

  void addMatrices(int64_t unit, float* scratch) {
    const int64_t lanes = context_.lanes;
    const int64_t first = matrices_->firstOf(unit);
    const int64_t count = matrices_->countOf(unit);
    float* h = scratch;
    float* a = h + count * chunk_ * lanes;
    float* unused = a + ci_ * chunk_ * lanes;
    Outer outer;
    outer.d = h;
    outer.plane = chunk_;
    outer.outputs = count;
    outer.x = a;
    outer.offsets = offsets_.data();
    outer.taps = ci_;
    outer.w = matrices_->begin(unit);
    const int64_t all = context_.blocks * segments_;
    const int64_t part = matrices_->partOf(unit), parts = matrices_->parts();
    for (int64_t at = all * part / parts; at < all * (part + 1) / parts; ++at) {
      const int64_t b = at / segments_, s = at % segments_;
      const int64_t end = std::min(pixels_, (s + 1) * segment_);
      for (int64_t q = s * segment_; q < end; q += chunk_) {
        const int64_t m = std::min(chunk_, end - q);
        for (int64_t o = 0; o < count; ++o)
          context_.curvature(out_map(), b, first + o, q, m, unused,
                             h + o * chunk_ * lanes);
        for (int64_t i = 0; i < ci_; ++i)
          table().value(context_.reading(inputs_[0], i),
                        context_.plane(in(), b, i) + q * lanes, m,
                        a + i * chunk_ * lanes);
        outer.grid = {1, m};
        table().matrices(outer);
      }
    }
  }

  // Pixels q0 to q1 of blocks b0 to b1 (all pixels if they are several).
  void chunk(int64_t b0, int64_t b1, int64_t q0, int64_t q1, float* dz,
             float* sums, float* w) {
    const int64_t lanes = context_.lanes, m = q1 - q0;
    float* a = dz + co_ * chunkBack_ * lanes;
    float* first = a + ci_ * chunkBack_ * lanes;
    float* h = first + ci_ * chunkBack_ * lanes;
    const bool isLinear = context_.slopeOf(inputs_[0]) == Act::kIdentity;
    const bool isSplit = wanted_ == Wanted::kProducts;
    // The derivatives of the input alone.
    const bool isBare = !isSplit && wanted_ != Wanted::kGradients;
    for (int64_t b = b0; b < b1; ++b) {
      const int64_t at = (b - b0) * m;
      int64_t row = 0;  // of directions, in the order of their neurons
      for (int64_t o = 0; o < co_; ++o) {
        float* to = dz + (o * chunkBack_ + at) * lanes;
        if (!isSplit || row == count_ || ownerOf(row) != o) {
          context_.derivative(out_map(), b, o, q0, m, to);
          continue;
        }
        const float* first = h + (row * chunkBack_ + at) * lanes;
        context_.curvature(out_map(), b, o, q0, m, to,
                           h + (row * chunkBack_ + at) * lanes);
        while (++row < count_ && ownerOf(row) == o)
          std::copy_n(first, m * lanes, h + (row * chunkBack_ + at) * lanes);
      }
      for (int64_t i = 0; i < ci_; ++i) {
        if (isLinear && isBare) break;
        const Reading r = context_.reading(inputs_[0], i);
        const float* z = context_.plane(in(), b, i) + q0 * lanes;
        float* to = a + (i * chunkBack_ + at) * lanes;
        if (isBare)
          table().first(r, z, m, first + (i * chunkBack_ + at) * lanes);
        else if (isLinear || !target_.isWanted)
          table().value(r, z, m, to);
        else
          table().both(r, z, m, to, first + (i * chunkBack_ + at) * lanes);
      }
    }
    if (isSplit)
      table().scaled({a,
                      offsetsBack_.data(),
                      ci_,
                      packedDirections_.data(),
                      count_,
                      {1, m * (b1 - b0)},
                      {0, 1},
                      h,
                      chunkBack_,
                      {0, 1}});
    Outer outer;
    outer.d = isSplit ? h : dz;
    outer.plane = chunkBack_;
    outer.outputs = isSplit ? count_ : co_;
    outer.x = a;
    outer.offsets = offsetsBack_.data();
    outer.taps = ci_;
    outer.grid = {1, m * (b1 - b0)};
    outer.w = w;
    if (!isBare) table().outer(outer);
    if (!target_.isWanted) return;
    Map& map = in();
    Back back;
    back.first = isLinear ? nullptr : first;
    back.firstStep = {m, 1};
    back.firstPlane = chunkBack_;
    back.z = context_.plane(map, b0, 0) + q0 * lanes;
    back.zRow = map.block;
    back.means = map.mean.data();
    back.adds = target_.adds;
    back.sums = keepsSums(0, target_) ? sums : nullptr;
    table().backward({dz,
                      offsetsBack_.data(),
                      co_,
                      packedBack_.data(),
                      ci_,
                      {b1 - b0, m},
                      {m, 1},
                      context_.gradients(map, b0, 0) + q0 * lanes,
                      map.plane,
                      {map.blockBack, 1}},
                     back);
  }

  const int64_t ci_, co_, pixels_, segment_, segments_;
  WeightParts parts_;
  int64_t chunk_ = 0, chunkBack_ = 0, blocksEach_ = 1, units_ = 0, rows_ = 0;
  bool isSeveral_ = false;
  Target target_;
  Buffer* partial_ = nullptr;
  std::vector<int32_t> offsets_, offsetsBack_;
  std::vector<float> packed_, packedBack_, packedDirections_;
};

}  // namespace

ProducerPtr flatProduct(Context* context, int node, const View& in, int out) {
  return std::make_unique<Flat>(context, node, in, out);
}

}  // namespace splitgrow::engine
