// The calls of lib/native/images.ts; see there.
#pragma once

#include <napi.h>

namespace splitgrow {

Napi::Value openJpeg(const Napi::CallbackInfo& info);
Napi::Value scanImages(const Napi::CallbackInfo& info);
Napi::Value packStore(const Napi::CallbackInfo& info);
Napi::Value readStore(const Napi::CallbackInfo& info);
Napi::Value readStoreLabels(const Napi::CallbackInfo& info);
Napi::Value verifyStore(const Napi::CallbackInfo& info);
Napi::Value createImageDataset(const Napi::CallbackInfo& info);
Napi::Value imageAt(const Napi::CallbackInfo& info);
Napi::Value sweepImages(const Napi::CallbackInfo& info);

}  // namespace splitgrow
