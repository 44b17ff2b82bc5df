// Layers without a window in bfloat16: values, derivatives and weights are
// rounded where they are multiplied; maps, sums and gradients are float32.
#include "engine/flat.h"

namespace splitgrow::engine {

namespace {

// Narrower layers gain no more than rounding costs, forward or back.
constexpr int64_t kLeastChannels = 24;

}  // namespace

void Flat::planNarrow() {
  taps_ = ci_;
  tapsBack_ = co_;
  isNarrow_ =
      context_.narrow != nullptr && std::min(ci_, co_) >= kLeastChannels;
  if (!isNarrow_) return;
  taps_ = context_.narrow->pairsOf(ci_);
  tapsBack_ = context_.narrow->pairsOf(co_);
  packed_.resize(context_.narrow->packedWords(co_, ci_));
  packedBack_.resize(context_.narrow->packedWords(ci_, co_));
  groups_ = (ci_ + context_.lanes - 1) / context_.lanes;
}

void Flat::packNarrow() {
  const float* w = weights();
  context_.narrow->packWeights(w, co_, ci_, false, packed_.data());
  context_.narrow->packWeights(w, ci_, co_, true, packedBack_.data());
}

void Flat::readPairs(int64_t b, int64_t q, int64_t m, float* rows,
                     float* to) const {
  const int64_t lanes = context_.lanes;
  for (int64_t i = 0; i < ci_; i += 2, to += chunk_ * lanes) {
    const int64_t count = std::min<int64_t>(2, ci_ - i);
    for (int64_t j = 0; j < count; ++j) {
      if (i + j + kAhead < ci_)
        context_.prefetch(context_.plane(in(), b, i + j + kAhead) + q * lanes,
                          m);
      table().value(context_.reading(inputs_[0], i + j),
                    context_.plane(in(), b, i + j) + q * lanes, m,
                    rows + j * m * lanes);
    }
    context_.narrow->pairRows(rows, count == 2 ? rows + m * lanes : nullptr, m,
                              to);
  }
  for (int64_t j = (ci_ + 1) / 2; j < taps_; ++j, to += chunk_ * lanes)
    std::fill_n(to, m * lanes, 0.0f);
}

// In this order: rows of float32, words of two outputs, words of two pixels of
// each output, those of the inputs, and act' of the inputs.
int64_t Flat::scratchNarrow() const {
  const int64_t lanes = context_.lanes, half = (chunkBack_ + 1) / 2;
  return lanes * chunkBack_ + tapsBack_ * chunkBack_ + co_ * half +
         groups_ * lanes * half + ci_ * chunkBack_;
}

void Flat::chunkNarrow(int64_t b0, int64_t b1, int64_t q0, int64_t q1,
                       float* rows, float* sums, float* w, bool isFirst) {
  const int64_t lanes = context_.lanes, m = q1 - q0, n = m * (b1 - b0);
  const int64_t half = (chunkBack_ + 1) / 2, row = chunkBack_ * lanes;
  float* const dz = rows + lanes * row;
  float* const d = dz + tapsBack_ * row;
  float* const a = d + co_ * half * lanes;
  float* const first = a + groups_ * lanes * half * lanes;
  for (int64_t o = 0; o < co_; o += 2) {
    const int64_t count = std::min<int64_t>(2, co_ - o);
    for (int64_t j = 0; j < count; ++j) {
      for (int64_t b = b0; b < b1; ++b) {
        if (o + j + kAhead < co_)
          for (const float* const ahead :
               {context_.plane(out_map(), b, o + j + kAhead),
                context_.gradients(out_map(), b, o + j + kAhead)})
            context_.prefetch(ahead + q0 * lanes, m);
        context_.derivative(out_map(), b, o + j, q0, m,
                            rows + j * row + (b - b0) * m * lanes);
      }
      context_.narrow->pairPositions(rows + j * row, n,
                                     d + (o + j) * half * lanes);
    }
    if (target_.isWanted)
      context_.narrow->pairRows(rows, count == 2 ? rows + row : nullptr, n,
                                dz + o / 2 * row);
  }
  if (target_.isWanted)
    for (int64_t j = (co_ + 1) / 2; j < tapsBack_; ++j)
      std::fill_n(dz + j * row, n * lanes, 0.0f);
  const bool isLinear = context_.slopeOf(inputs_[0]) == Act::kIdentity;
  for (int64_t g = 0; g < groups_; ++g) {
    const int64_t count = std::min(lanes, ci_ - g * lanes);
    for (int64_t j = 0; j < count; ++j)
      for (int64_t b = b0; b < b1; ++b) {
        const int64_t i = g * lanes + j, at = (b - b0) * m * lanes;
        const Reading r = context_.reading(inputs_[0], i);
        if (i + kAhead < ci_)
          context_.prefetch(context_.plane(in(), b, i + kAhead) + q0 * lanes,
                            m);
        const float* z = context_.plane(in(), b, i) + q0 * lanes;
        if (isLinear || !target_.isWanted)
          table().value(r, z, m, rows + j * row + at);
        else
          table().both(r, z, m, rows + j * row + at, first + i * row + at);
      }
    context_.narrow->turn(rows, chunkBack_, count, n,
                          a + g * lanes * half * lanes);
  }
  context_.narrow->outer({d, half, co_, a, lanes * half, groups_,
                          (n + 1) / 2 * lanes, w, groups_, !isFirst});
  if (target_.isWanted)
    multiplyBack(b0, b1, q0, q1, dz, isLinear ? nullptr : first, sums);
}

void Flat::foldNarrow(int64_t output) const {
  float* to = foldsTo(context_, *this, wanted_, chain_) + output * ci_;
  const int64_t size = partialVectors() * context_.lanes;
  const float* from = partial_->data() + output * groups_ * context_.lanes;
  std::copy_n(from, ci_, to);
  for (int64_t p = 1; p < units_; ++p)
    for (int64_t i = 0; i < ci_; ++i) to[i] += from[p * size + i];
}

}  // namespace splitgrow::engine
