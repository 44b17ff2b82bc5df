// The calls that JavaScript sees, by the file that has them; lib/native.ts and
// lib/native-images.ts say what each takes.
#pragma once

#include <napi.h>

namespace splitgrow {

// network_calls.cc
Napi::Value createNetwork(const Napi::CallbackInfo& info);
Napi::Value readNetwork(const Napi::CallbackInfo& info);
Napi::Value writeNetwork(const Napi::CallbackInfo& info);
Napi::Value averagedNetwork(const Napi::CallbackInfo& info);
Napi::Value rewriteNetwork(const Napi::CallbackInfo& info);

// train_calls.cc
Napi::Value train(const Napi::CallbackInfo& info);
Napi::Value evaluateData(const Napi::CallbackInfo& info);
Napi::Value forward(const Napi::CallbackInfo& info);
Napi::Value recalibrateNetwork(const Napi::CallbackInfo& info);
Napi::Value benchSteps(const Napi::CallbackInfo& info);
Napi::Value createAbort(const Napi::CallbackInfo& info);
Napi::Value abortTask(const Napi::CallbackInfo& info);
Napi::Value createPause(const Napi::CallbackInfo& info);
Napi::Value askForPause(const Napi::CallbackInfo& info);

// indices_calls.cc
Napi::Value indicesOf(const Napi::CallbackInfo& info);
Napi::Value createIndicesState(const Napi::CallbackInfo& info);
Napi::Value readIndicesState(const Napi::CallbackInfo& info);
Napi::Value readDirections(const Napi::CallbackInfo& info);
Napi::Value createDirections(const Napi::CallbackInfo& info);
Napi::Value keptByLobpcg(const Napi::CallbackInfo& info);

// image_calls.cc
Napi::Value createDataset(const Napi::CallbackInfo& info);
Napi::Value resizeImages(const Napi::CallbackInfo& info);
Napi::Value openJpeg(const Napi::CallbackInfo& info);
Napi::Value scanImages(const Napi::CallbackInfo& info);
Napi::Value createImageDataset(const Napi::CallbackInfo& info);
Napi::Value imageAt(const Napi::CallbackInfo& info);

// store_calls.cc
Napi::Value packStore(const Napi::CallbackInfo& info);
Napi::Value readStore(const Napi::CallbackInfo& info);
Napi::Value readStoreLabels(const Napi::CallbackInfo& info);
Napi::Value verifyStore(const Napi::CallbackInfo& info);

// sweep_call.cc
Napi::Value sweepImages(const Napi::CallbackInfo& info);

// rank_calls.cc
Napi::Value joinRanks(const Napi::CallbackInfo& info);
Napi::Value leaveRanks(const Napi::CallbackInfo& info);
Napi::Value sumOverRanks(const Napi::CallbackInfo& info);
Napi::Value broadcastOverRanks(const Napi::CallbackInfo& info);
Napi::Value rowsOfRank(const Napi::CallbackInfo& info);

// counters.cc
Napi::Value readMemory(const Napi::CallbackInfo& info);
Napi::Value readHandles(const Napi::CallbackInfo& info);
Napi::Value emptyCaches(const Napi::CallbackInfo& info);
Napi::Value readEnergy(const Napi::CallbackInfo& info);

}  // namespace splitgrow
