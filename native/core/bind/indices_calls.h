// The exported calls that compute indices, and keep them.
#pragma once

#include "bind/boundary.h"

namespace splitgrow {

// network, dataset, options with `state` (a handle, absent: a new one),
// progress, abort.
Napi::Value indicesOf(const Napi::CallbackInfo& info);
// network, options, tensors (none: a new one) -> handle.
Napi::Value createIndicesState(const Napi::CallbackInfo& info);
// network, options, handle, bytes -> tensors.
Napi::Value readIndicesState(const Napi::CallbackInfo& info);

Napi::Value readDirections(const Napi::CallbackInfo& info);
Napi::Value createDirections(const Napi::CallbackInfo& info);

}  // namespace splitgrow
