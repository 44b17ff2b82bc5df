// Weights in the order of tiles, and back.
#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

// Sums of a tile, at most.
constexpr int64_t kMostTile = 64;

}  // namespace

WeightParts::WeightParts(const Context& context, int64_t outputs, int64_t taps)
    : outputs_(outputs),
      taps_(taps),
      tileOutputs_(context.table.outerOutputs),
      tileTaps_(context.table.outerTaps),
      lanes_(context.lanes) {
  const Cut outs(outputs_, tileOutputs_), columns(taps_, tileTaps_);
  for (int64_t u = 0; u < columns.parts; ++u) {
    begin_.push_back(vectors_);
    for (int64_t t = 0; t < outs.parts; ++t)
      vectors_ += (outs.size(t) * columns.size(u) + lanes_ - 1) / lanes_;
  }
}

int64_t WeightParts::columns() const {
  return static_cast<int64_t>(begin_.size());
}

void WeightParts::fold(int64_t u, const float* partial, int64_t parts,
                       int64_t stride, float* gradient) const {
  const Cut outs(outputs_, tileOutputs_), columns(taps_, tileTaps_);
  const int64_t width = columns.size(u);
  const float* from = partial + begin_[u] * lanes_;
  for (int64_t t = 0; t < outs.parts; ++t) {
    const int64_t count = outs.size(t) * width;
    float sums[kMostTile] = {};
    for (int64_t p = 0; p < parts; ++p)
      for (int64_t i = 0; i < count; ++i) sums[i] += from[p * stride + i];
    for (int64_t i = 0; i < count; ++i)
      gradient[(outs.at(t) + i / width) * taps_ + columns.at(u) + i % width] =
          sums[i];
    from += (count + lanes_ - 1) / lanes_ * lanes_;
  }
}

float* foldsTo(const Context& context, const Producer& producer, Wanted wanted,
               int chain) {
  if (wanted == Wanted::kProducts) return context.inputs.products[chain];
  return context.network.nodes[producer.node()]
      .gradients[0]
      .mutable_data_ptr<float>();
}

}  // namespace splitgrow::engine
