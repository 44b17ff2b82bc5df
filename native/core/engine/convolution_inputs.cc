// Convolutions of any kind: derivatives of what they read.
#include "engine/convolution.h"

namespace splitgrow::engine {

void Convolution::inputGradients(int64_t b, int64_t band, float* scratch) {
  const int64_t lanes = context_.lanes;
  const int64_t begin = band * rowsBack_;
  const int64_t end = std::min(hi_, begin + rowsBack_);
  const int64_t reach = (k_ + stride_ - 1) / stride_;
  const int64_t top = floorDiv(begin + padding_, stride_) - (reach - 1);
  float* first = scratch + co_ * heightBack_ * widthBack_ * lanes;
  float* sums = first + ci_ * rowsBack_ * wi_ * lanes;
  Map& map = in();
  const bool isLinear = context_.slopeOf(inputs_[0]) == Act::kIdentity;
  const bool keeps = keepsSums(0, target_);
  if (keeps) std::fill_n(sums, 2 * map.channels * lanes, 0.0f);
  for (int64_t g = 0; g < groups_; ++g) {
    readDerivatives(g, b, top, scratch);
    if (!isLinear)
      for (int64_t i = 0; i < ci_; ++i)
        table().first(context_.reading(inputs_[0], g * ci_ + i),
                      context_.plane(map, b, g * ci_ + i) + begin * wi_ * lanes,
                      (end - begin) * wi_, first + i * rowsBack_ * wi_ * lanes);
    for (const Phase& phase : phases_) {
      const int64_t y = firstAt(begin, phase.y), x = firstAt(0, phase.x);
      if (y >= end || x >= wi_) continue;
      const int64_t place = (y * wi_ + x) * lanes;
      Back back;
      back.first = isLinear ? nullptr : first + ((y - begin) * wi_ + x) * lanes;
      back.firstStep = {stride_ * wi_, stride_};
      back.firstPlane = rowsBack_ * wi_;
      back.z = context_.plane(map, b, g * ci_) + place;
      back.zRow = stride_ * wi_;
      back.means = map.mean.data() + g * ci_;
      back.adds = target_.adds;
      back.sums = keeps ? sums + 2 * g * ci_ * lanes : nullptr;
      const int64_t row = (y + padding_) / stride_ - top;
      const int64_t column = (x + padding_) / stride_ - left_;
      table().backward({scratch + (row * widthBack_ + column) * lanes,
                        phase.offsets.data(),
                        co_ * phase.taps(),
                        phase.packed.data() + g * ci_ * co_ * phase.taps(),
                        ci_,
                        {(end - y + stride_ - 1) / stride_,
                         (wi_ - x + stride_ - 1) / stride_},
                        {widthBack_, 1},
                        context_.gradients(map, b, g * ci_) + place,
                        map.plane,
                        {stride_ * wi_, stride_}},
                       back);
    }
  }
  if (keeps)
    context_.keepDerivatives(&map, b * bandsBack_ + band, 0, map.channels,
                             sums);
}

void Convolution::readDerivatives(int64_t g, int64_t b, int64_t top,
                                  float* to) const {
  const int64_t lanes = context_.lanes;
  const int64_t right = std::min(wo_, left_ + widthBack_);
  const int64_t begin = std::max<int64_t>(0, left_);
  for (int64_t o = 0; o < co_; ++o)
    for (int64_t y = 0; y < heightBack_; ++y) {
      float* row = to + (o * heightBack_ + y) * widthBack_ * lanes;
      const int64_t from = top + y;
      std::fill_n(row, widthBack_ * lanes, 0.0f);
      if (from < 0 || from >= ho_ || right <= begin) continue;
      context_.derivative(out_map(), b, g * co_ + o, from * wo_ + begin,
                          right - begin, row + (begin - left_) * lanes);
    }
}

}  // namespace splitgrow::engine
