// Images at another resolution.
#pragma once

#include <ATen/ATen.h>

#include "tensor/control.h"

namespace splitgrow {

// uint8 or float32 [N, C, H, W] to [N, C, size, size].
at::Tensor resized(const at::Tensor& images, int64_t size,
                   const Control& control);

}  // namespace splitgrow
