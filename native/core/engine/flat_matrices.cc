// Layers without a window: splitting matrices of their neurons.
#include "engine/flat.h"

namespace splitgrow::engine {

namespace {

// Of a chunk: so many that adding lanes up at its end takes little.
constexpr int64_t kPositions = 64;

}  // namespace

Chunks Flat::chunksOfMatrices() const {
  return {kPositions, pixels_, context_.blocks};
}

void Flat::addMatrices(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes;
  const int64_t first = matrices_->firstOf(unit);
  const int64_t count = matrices_->countOf(unit);
  const Chunks chunks = chunksOfMatrices();
  float* const h = scratch;
  float* const a = h + count * chunks.plane * lanes;
  float* const unused = a + ci_ * chunks.plane * lanes;
  Outer outer;
  outer.d = h;
  outer.plane = chunks.plane;
  outer.outputs = count;
  outer.x = a;
  outer.offsets = offsetsOfMatrices_.data();
  outer.taps = ci_;
  outer.w = matrices_->begin(unit);
  const int64_t part = matrices_->partOf(unit), parts = matrices_->parts();
  const int64_t end = chunks.count * (part + 1) / parts;
  for (int64_t chunk = chunks.count * part / parts; chunk < end; ++chunk) {
    const int64_t q = chunks.firstPixel(chunk), m = chunks.pixelsOf(chunk);
    for (int64_t b = 0; b < chunks.blocksOf(chunk); ++b) {
      const int64_t block = chunks.firstBlock(chunk) + b;
      for (int64_t o = 0; o < count; ++o)
        context_.curvature(out_map(), block, first + o, q, m, unused,
                           h + (o * chunks.plane + b * m) * lanes);
      for (int64_t i = 0; i < ci_; ++i)
        table().value(context_.reading(inputs_[0], i),
                      context_.plane(in(), block, i) + q * lanes, m,
                      a + (i * chunks.plane + b * m) * lanes);
    }
    outer.grid = {1, m * chunks.blocksOf(chunk)};
    table().matrices(outer);
  }
}

}  // namespace splitgrow::engine
