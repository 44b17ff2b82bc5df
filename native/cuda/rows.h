// The accelerator's functions on tensors: checks, buffers, and the kernels.
// Shared by the CUDA library and by its twin on the CPU (twin/).
#pragma once

#include <c10/core/DeviceGuard.h>

#include "kernels.h"
#include "tensor/accelerator.h"

namespace splitgrow::gpu {

// This thread's stream on a device, as the kernels take it; the twin has none.
void* currentStream(const c10::Device& device);

// Makes x's device this thread's while kernels are launched.
struct Place {
  explicit Place(const at::Tensor& x)
      : guard(x.device()), stream(currentStream(x.device())) {}
  c10::DeviceGuard guard;
  void* stream;
};

// Fills the part of the table that rows.cc implements.
void addRows(Accelerator* table);

}  // namespace splitgrow::gpu
