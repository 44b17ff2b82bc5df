// The export table: what lib/native/core.ts calls `Core`.
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/environment.h"
#include "engine/engine.h"
#include "ops/narrow.h"
#include "tensor/accelerator.h"
#include "tensor/exit.h"
#include "tensor/memory.h"
#include "tensor/onednn.h"
#include "tensor/threads.h"

namespace splitgrow {

namespace {

// The version in the build settings of the LibTorch that is open. If they have
// none: the version that this was compiled for.
std::string openedVersion() {
  const std::string settings = at::show_config(), name = "TORCH_VERSION=";
  const size_t at = settings.find(name);
  if (at == std::string::npos) return TORCH_VERSION;
  const size_t from = at + name.size();
  return settings.substr(from, settings.find_first_of(", \n", from) - from);
}

Napi::Value features(const Napi::CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  const int devices =
      at::hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
  object.Set("libtorch", openedVersion());
  object.Set("compiledFor", TORCH_VERSION);
  const int chosen = environment(info.Env()).threads;
  object.Set("threads", chosen > 0 ? chosen : taskThreads());
  object.Set("cuda", devices > 0);
  object.Set("cudaDevices", devices);
  object.Set("cpuCapability", at::get_cpu_capability());
  object.Set("engine", engine::setName());
  const Accelerator* const fast = accelerator();
  object.Set("accelerator", fast != nullptr ? fast->name : "none");
  object.Set("acceleratorFault", acceleratorFault());
  auto bfloat16 = Napi::Object::New(info.Env());
  bfloat16.Set("cpu", hasBFloat16(at::kCPU));
  bfloat16.Set("cuda", devices > 0 && hasBFloat16(at::kCUDA));
  bfloat16.Set("engine", engine::narrowName());
  object.Set("bfloat16", bfloat16);
  return object;
}

Napi::Value setThreads(const Napi::CallbackInfo& info) {
  setTaskThreads(
      static_cast<int>(toInteger(info[0], "threads", 1, kMostThreads)));
  return info.Env().Undefined();
}

// 0: as many as setThreads says.
Napi::Value useThreads(const Napi::CallbackInfo& info) {
  environment(info.Env()).threads =
      static_cast<int>(toInteger(info[0], "threads", 0, kMostThreads));
  return info.Env().Undefined();
}

Napi::Value exiting(const Napi::CallbackInfo& info) {
  beginExit();
  return info.Env().Undefined();
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  static const bool isGuarded = (guardExit(), true);
  (void)isGuarded;
  avoidFlawedKernels();
  installMemory();
  keepToOneThread();
  // No TF32: training must give the weights of PyTorch to 1e-4.
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
  initBoundary(env);
  const auto add = [&](const char* name, Exported call) {
    exports.Set(name, Napi::Function::New(env, call, name));
  };
  add("features", guard<features>);
  add("setThreads", guard<setThreads>);
  add("useThreads", guard<useThreads>);
  add("exiting", guard<exiting>);
  add("createAbort", guard<createAbort>);
  add("abort", guard<abortTask>);
  add("createPause", guard<createPause>);
  add("pause", guard<askForPause>);
  add("createNetwork", guard<createNetwork>);
  add("readNetwork", guard<readNetwork>);
  add("writeNetwork", guard<writeNetwork>);
  add("averagedNetwork", guard<averagedNetwork>);
  add("createDataset", guard<createDataset>);
  add("train", guard<train>);
  add("evaluate", guard<evaluateData>);
  add("recalibrate", guard<recalibrateNetwork>);
  add("forward", guard<forward>);
  add("indices", guard<indicesOf>);
  add("createIndicesState", guard<createIndicesState>);
  add("readIndicesState", guard<readIndicesState>);
  add("resizeImages", guard<resizeImages>);
  add("readDirections", guard<readDirections>);
  add("createDirections", guard<createDirections>);
  add("keptByLobpcg", guard<keptByLobpcg>);
  add("rewrite", guard<rewriteNetwork>);
  add("bench", guard<benchSteps>);
  add("memory", guard<readMemory>);
  add("handles", guard<readHandles>);
  add("emptyCache", guard<emptyCaches>);
  add("energy", guard<readEnergy>);
  add("openJpeg", guard<openJpeg>);
  add("scanImages", guard<scanImages>);
  add("packImages", guard<packStore>);
  add("readStore", guard<readStore>);
  add("readStoreLabels", guard<readStoreLabels>);
  add("verifyStore", guard<verifyStore>);
  add("createImageDataset", guard<createImageDataset>);
  add("imageAt", guard<imageAt>);
  add("sweepImages", guard<sweepImages>);
  add("joinGroup", guard<joinRanks>);
  add("leaveGroup", guard<leaveRanks>);
  add("sumOverRanks", guard<sumOverRanks>);
  add("broadcastOverRanks", guard<broadcastOverRanks>);
  add("rowsOfRank", guard<rowsOfRank>);
  return exports;
}

}  // namespace

NODE_API_MODULE(splitgrow_core, initialise)

}  // namespace splitgrow
