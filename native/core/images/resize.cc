// Bilinear resizing with antialiasing, as PyTorch's interpolate has it.
#include "images/resize.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>

namespace splitgrow {

namespace {

// Images at a time: an abort waits no longer, and scratch memory stays small.
constexpr int64_t kChunk = 64;

// By way of float32: LibTorch's loop over uint8 fails on maps of one pixel.
at::Tensor resizedFloats(const at::Tensor& images, int64_t size) {
  const at::Tensor floats = at::_upsample_bilinear2d_aa(
      images.to(at::kFloat), {size, size}, /*align_corners=*/false);
  return images.scalar_type() == at::kByte ? floats.round().clamp(0, 255)
                                           : floats;
}

}  // namespace

at::Tensor resized(const at::Tensor& images, int64_t size,
                   const Control& control) {
  const at::NoGradGuard noGrad;
  const int64_t count = images.size(0);
  at::Tensor out =
      at::empty({count, images.size(1), size, size}, images.options());
  for (int64_t from = 0; from < count; from += kChunk) {
    control.check();
    const int64_t some = std::min(kChunk, count - from);
    out.narrow(0, from, some)
        .copy_(resizedFloats(images.narrow(0, from, some), size));
  }
  return out;
}

}  // namespace splitgrow
