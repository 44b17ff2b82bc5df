// Images at another resolution.
#pragma once

#include <napi.h>

namespace splitgrow {

// resizeImages(images, size): uint8 or float32 [N, C, H, W] to [N, C, size,
// size], on a thread of its own.
Napi::Value resizeImages(const Napi::CallbackInfo& info);

}  // namespace splitgrow
