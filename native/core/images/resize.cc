// Bilinear resizing with antialiasing, as PyTorch's interpolate has it.
#include "images/resize.h"

#include <ATen/ops/_upsample_bilinear2d_aa.h>

#include "bind/boundary.h"

namespace splitgrow {

namespace {

constexpr int64_t kMostSize = 8192;
// Images at a time: an abort waits no longer, and scratch memory stays small.
constexpr int64_t kChunk = 64;

// By way of float32: LibTorch's loop over uint8 fails on maps of one pixel.
at::Tensor resizedFloats(const at::Tensor& images, int64_t size) {
  const at::Tensor floats = at::_upsample_bilinear2d_aa(
      images.to(at::kFloat), {size, size}, /*align_corners=*/false);
  return images.scalar_type() == at::kByte ? floats.round().clamp(0, 255)
                                           : floats;
}

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

}  // namespace

Napi::Value resizeImages(const Napi::CallbackInfo& info) {
  const at::Tensor images = readTensor(info[0], "images");
  require(images.dim() == 4 && images.numel() > 0 &&
              (images.scalar_type() == at::kByte ||
               images.scalar_type() == at::kFloat),
          "E_ARGUMENT",
          "`images` must be uint8 or float32 [N, C, H, W], found ",
          images.scalar_type(), " ", images.sizes());
  const int64_t side = toInteger(info[1], "size", 1, kMostSize);
  return runTask(info, info.Env().Null(), info[2],
                 [images, side](const Control& control) -> ToJs {
                   const at::Tensor out = resized(images, side, control);
                   return
                       [out](Napi::Env env) { return toTensorData(env, out); };
                 });
}

}  // namespace splitgrow
