// Memory and energy counters of a device, for JavaScript.
#pragma once

#include <napi.h>

namespace splitgrow {

// (device): bytes of tensors, of memory taken from the device, and the
// device's own free and total bytes.
Napi::Value readMemory(const Napi::CallbackInfo& info);
// (): live handles of this environment and bytes of their tensors, by kind.
Napi::Value readHandles(const Napi::CallbackInfo& info);
// (): gives memory that waits to be used again back, on every device.
Napi::Value emptyCaches(const Napi::CallbackInfo& info);
// (): a row for every NVIDIA GPU of the machine, in NVML's order; empty where
// there is no driver.
Napi::Value readEnergy(const Napi::CallbackInfo& info);

}  // namespace splitgrow
