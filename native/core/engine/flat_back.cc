// Layers without a window: the pass back.
#include "engine/flat.h"

namespace splitgrow::engine {

void Flat::addBackward(Stage* stage, const std::vector<Target>& targets,
                       int which) {
  target_ = targets[0];
  units_ = isSeveral_ ? (context_.blocks + blocksEach_ - 1) / blocksEach_
                      : context_.blocks * segments_;
  partial_ = &context_.memory.partial[which];
  if (wanted_ == Wanted::kProducts) parts_ = {context_, count_, ci_};
  partial_->reserve(units_ * partialVectors() * context_.lanes);
  rows_ = wanted_ == Wanted::kProducts ? count_ : 0;
  context_.needScratch(scratchBack() + 2 * ci_);
  if (keepsSums(0, target_)) in().derivatives.resize(units_, ci_);
  if (wanted_ == Wanted::kMatrices) {
    const Chunks chunks = chunksOfMatrices();
    matrices_ = std::make_unique<MatrixWork>(context_, from_, count_, ci_,
                                             chunks.count);
    offsetsOfMatrices_.clear();
    for (int64_t i = 0; i < ci_; ++i)
      offsetsOfMatrices_.push_back(static_cast<int32_t>(i * chunks.plane));
    context_.needScratch((ci_ + matrices_->most() + 1) * chunks.plane);
    stage->segments.push_back(
        {matrices_->units(),
         [this](int64_t unit, float* scratch) { addMatrices(unit, scratch); }});
  }
  stage->segments.push_back({units_, [this](int64_t unit, float* scratch) {
                               backward(unit, scratch);
                             }});
}

void Flat::addFold(Stage* stage) {
  if (wanted_ == Wanted::kMatrices)
    return matrices_->addFold(
        stage, [this] { return context_.inputs.matrices[chain_]; });
  if (isNarrow_) {
    stage->segments.push_back(
        {co_, [this](int64_t output, float*) { foldNarrow(output); }});
    return;
  }
  stage->segments.push_back({parts_.columns(), [this](int64_t u, float*) {
                               parts_.fold(
                                   u, partial_->data(), units_,
                                   parts_.vectors() * context_.lanes,
                                   foldsTo(context_, *this, wanted_, chain_));
                             }});
}

void Flat::backward(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes;
  float* w = partial_->data() + unit * partialVectors() * lanes;
  if (!isNarrow_ &&
      (wanted_ == Wanted::kGradients || wanted_ == Wanted::kProducts))
    std::fill_n(w, partialVectors() * lanes, 0.0f);
  float* sums = scratch + scratchBack() * lanes;
  std::fill_n(sums, 2 * ci_ * lanes, 0.0f);
  const auto chunkAt = [&](int64_t b0, int64_t b1, int64_t q0, int64_t q1,
                           bool isFirst) {
    if (isNarrow_)
      chunkNarrow(b0, b1, q0, q1, scratch, sums, w, isFirst);
    else
      chunk(b0, b1, q0, q1, scratch, sums, w);
  };
  if (isSeveral_) {
    const int64_t from = unit * blocksEach_;
    chunkAt(from, std::min(context_.blocks, from + blocksEach_), 0, pixels_,
            true);
  } else {
    const int64_t b = unit / segments_, s = unit % segments_;
    const int64_t end = std::min(pixels_, (s + 1) * segment_);
    for (int64_t q = s * segment_; q < end; q += chunkBack_)
      chunkAt(b, b + 1, q, std::min(end, q + chunkBack_), q == s * segment_);
  }
  if (keepsSums(0, target_))
    context_.keepDerivatives(&in(), unit, 0, ci_, sums);
}

void Flat::chunk(int64_t b0, int64_t b1, int64_t q0, int64_t q1, float* dz,
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
      if (o + kAhead < co_)
        for (const float* const row :
             {context_.plane(out_map(), b, o + kAhead),
              context_.gradients(out_map(), b, o + kAhead)})
          context_.prefetch(row + q0 * lanes, m);
      if (!isSplit || row == count_ || ownerOf(row) != o) {
        context_.derivative(out_map(), b, o, q0, m, to);
        continue;
      }
      const float* first = h + (row * chunkBack_ + at) * lanes;
      context_.curvature(out_map(), b, o, q0, m, to,
                         h + (row * chunkBack_ + at) * lanes);
      for (++row; row < count_ && ownerOf(row) == o; ++row)
        std::copy_n(first, m * lanes, h + (row * chunkBack_ + at) * lanes);
    }
    for (int64_t i = 0; i < ci_; ++i) {
      if (isLinear && isBare) break;
      const Reading r = context_.reading(inputs_[0], i);
      const float* z = context_.plane(in(), b, i) + q0 * lanes;
      if (i + kAhead < ci_)
        context_.prefetch(context_.plane(in(), b, i + kAhead) + q0 * lanes, m);
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
  if (target_.isWanted)
    multiplyBack(b0, b1, q0, q1, dz, isLinear ? nullptr : first, sums);
}

void Flat::multiplyBack(int64_t b0, int64_t b1, int64_t q0, int64_t q1,
                        const float* dz, const float* first,
                        float* sums) const {
  const int64_t lanes = context_.lanes, m = q1 - q0;
  Map& map = in();
  Back back;
  back.first = first;
  back.firstStep = {m, 1};
  back.firstPlane = chunkBack_;
  back.z = context_.plane(map, b0, 0) + q0 * lanes;
  back.zRow = map.block;
  back.means = map.mean.data();
  back.adds = target_.adds;
  back.sums = keepsSums(0, target_) ? sums : nullptr;
  const auto multiply =
      isNarrow_ ? context_.narrow->backward : table().backward;
  multiply({dz,
            offsetsBack_.data(),
            tapsBack_,
            packedBack_.data(),
            ci_,
            {b1 - b0, m},
            {m, 1},
            context_.gradients(map, b0, 0) + q0 * lanes,
            map.plane,
            {map.blockBack, 1}},
           back);
}

}  // namespace splitgrow::engine
