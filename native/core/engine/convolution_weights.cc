// Convolutions of any kind: gradients of weights, and splitting matrices.
#include "engine/convolution.h"

namespace splitgrow::engine {

namespace {

// Memory of partial gradients of weights.
constexpr int64_t kPartialBytes = int64_t{1} << 20;
constexpr int64_t kLeastParts = 4;

}  // namespace

int64_t Convolution::parts() const {
  const int64_t bytes =
      groups_ * parts_.vectors() * context_.lanes * int64_t{sizeof(float)};
  return std::min(context_.blocks * bands_,
                  std::max(kPartialBytes / bytes, kLeastParts));
}

void Convolution::weightGradients(int64_t part, float* scratch) {
  const int64_t lanes = context_.lanes;
  const int64_t each = parts_.vectors() * lanes;
  float* w = partial_->data() + part * groups_ * each;
  std::fill_n(w, groups_ * each, 0.0f);
  float* dz = scratch + ci_ * height_ * width_ * lanes;
  float* unused = dz + directions_ * rows_ * wo_ * lanes;
  const int64_t units = context_.blocks * bands_;
  const int64_t end = units * (part + 1) / parts();
  for (int64_t unit = units * part / parts(); unit < end; ++unit)
    for (int64_t g = 0; g < groups_; ++g) {
      const int64_t b = unit / bands_, band = unit % bands_;
      const int64_t count = rowsOf(band) * wo_;
      read(g, b, band, scratch);
      const bool isSplit = wanted_ == Wanted::kProducts;
      if (isSplit)
        readCurvature(b, band * rows_ * wo_, count, unused, dz,
                      rows_ * wo_ * lanes);
      else
        for (int64_t o = 0; o < co_; ++o)
          context_.derivative(out_map(), b, g * co_ + o, band * rows_ * wo_,
                              count, dz + o * rows_ * wo_ * lanes);
      if (isSplit)
        table().scaled({scratch,
                        offsets_.data(),
                        taps_,
                        packedDirections_.data(),
                        count_,
                        {rowsOf(band), wo_},
                        {stride_ * width_, stride_},
                        dz,
                        rows_ * wo_,
                        {wo_, 1}});
      Outer outer;
      outer.d = dz;
      outer.plane = rows_ * wo_;
      outer.of = {wo_, 1};
      outer.outputs = isSplit ? count_ : co_;
      outer.x = scratch;
      outer.offsets = offsets_.data();
      outer.taps = taps_;
      outer.from = {stride_ * width_, stride_};
      outer.grid = {rowsOf(band), wo_};
      outer.w = w + g * each;
      table().outer(outer);
    }
}

void Convolution::addMatrices(int64_t unit, float* scratch) {
  const int64_t lanes = context_.lanes;
  const int64_t first = matrices_->firstOf(unit);
  const int64_t count = matrices_->countOf(unit);
  float* h = scratch + ci_ * height_ * width_ * lanes;
  float* unused = h + co_ * rows_ * wo_ * lanes;
  Outer outer;
  outer.d = h;
  outer.plane = rows_ * wo_;
  outer.of = {wo_, 1};
  outer.outputs = count;
  outer.x = scratch;
  outer.offsets = offsets_.data();
  outer.taps = taps_;
  outer.from = {stride_ * width_, stride_};
  outer.w = matrices_->begin(unit);
  const int64_t all = context_.blocks * bands_;
  const int64_t part = matrices_->partOf(unit), parts = matrices_->parts();
  for (int64_t at = all * part / parts; at < all * (part + 1) / parts; ++at) {
    const int64_t b = at / bands_, band = at % bands_;
    read(0, b, band, scratch);
    for (int64_t o = 0; o < count; ++o)
      context_.curvature(out_map(), b, first + o, band * rows_ * wo_,
                         rowsOf(band) * wo_, unused,
                         h + o * rows_ * wo_ * lanes);
    outer.grid = {rowsOf(band), wo_};
    table().matrices(outer);
  }
}

void Convolution::addFold(Stage* stage) {
  if (wanted_ == Wanted::kMatrices)
    return matrices_->addFold(
        stage, [this] { return context_.inputs.matrices[chain_]; });
  const int64_t columns = parts_.columns();
  stage->segments.push_back(
      {groups_ * columns, [this, columns](int64_t unit, float*) {
         const int64_t g = unit / columns;
         const int64_t each = parts_.vectors() * context_.lanes;
         parts_.fold(
             unit % columns, partial_->data() + g * each, parts(),
             groups_ * each,
             foldsTo(context_, *this, wanted_, chain_) + g * co_ * taps_);
       }});
}

}  // namespace splitgrow::engine
