// The export table: what lib/native/core.ts calls `Core`.
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include <cmath>

#include "bind/boundary.h"
#include "bind/counters.h"
#include "bind/environment.h"
#include "bind/image_calls.h"
#include "bind/indices_calls.h"
#include "bind/options.h"
#include "bind/rank_calls.h"
#include "images/resize.h"
#include "indices/bench.h"
#include "indices/surgery.h"
#include "ops/narrow.h"
#include "tensor/accelerator.h"
#include "tensor/exit.h"
#include "tensor/memory.h"
#include "tensor/threads.h"
#include "train/statistics.h"
#include "train/tensor_data.h"
#include "train/train.h"

namespace splitgrow {

namespace {

constexpr int64_t kMost = int64_t{1} << 31;
// The largest integer that a JavaScript number holds exactly.
constexpr int64_t kMostExact = int64_t{1} << 53;

// What the LibTorch that is open says of itself, in the settings that it was
// built by; where it does not, the one that this was compiled for.
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
  const int own = environment(info.Env()).threads;
  object.Set("threads", own > 0 ? own : taskThreads());
  object.Set("cuda", devices > 0);
  object.Set("cudaDevices", devices);
  object.Set("cpuCapability", at::get_cpu_capability());
  const Accelerator* const fast = accelerator();
  object.Set("accelerator", fast != nullptr ? fast->name : "none");
  object.Set("acceleratorFault", acceleratorFault());
  auto bfloat16 = Napi::Object::New(info.Env());
  bfloat16.Set("cpu", hasBFloat16(at::kCPU));
  bfloat16.Set("cuda", devices > 0 && hasBFloat16(at::kCUDA));
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

Napi::Value createAbort(const Napi::CallbackInfo& info) {
  return toHandle(info.Env(), std::make_shared<AbortFlag>(false));
}
Napi::Value abortTask(const Napi::CallbackInfo& info) {
  *fromHandle<AbortFlag>(info[0]) = true;
  return info.Env().Undefined();
}

Napi::Value createNetwork(const Napi::CallbackInfo& info) {
  Program program = readProgram(info[0]);
  const NamedTensors tensors = readTensors(info[1], "tensors");
  const auto seed =
      static_cast<uint64_t>(toInteger(info[2], "seed", 0, kMostExact));
  // float64 is for tests: finite differences need it.
  const std::string dtype =
      info[4].IsUndefined() ? "float32" : toText(info[4], "dtype");
  require(dtype == "float32" || dtype == "float64", "E_ARGUMENT",
          "`dtype` must be float32 or float64, found ", dtype);
  const bool isWide = dtype == "float64";
  const at::NoGradGuard noGrad;
  auto network =
      std::make_shared<Network>(std::move(program), readDevice(info[3]),
                                isWide ? at::kDouble : at::kFloat);
  network->initialise(seed);
  network->write(tensors);
  return toHandle(info.Env(), network);
}

std::unique_lock<std::mutex> idle(const std::shared_ptr<Network>& network) {
  std::unique_lock<std::mutex> lock(network->busy, std::try_to_lock);
  require(lock.owns_lock(), "E_HANDLE",
          "the network is at work; await the running call first");
  return lock;
}

Napi::Value readNetwork(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto lock = idle(network);
  return toEntries(info.Env(), network->read(toText(info[1], "what")));
}

Napi::Value writeNetwork(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto lock = idle(network);
  network->write(toText(info[1], "what"), readTensors(info[2], "tensors"));
  return info.Env().Undefined();
}

Napi::Value averagedNetwork(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto lock = idle(network);
  const auto averaged = averageOf(*network);
  return averaged ? toHandle(info.Env(), averaged) : info.Env().Null();
}

Napi::Value createDataset(const Napi::CallbackInfo& info) {
  auto data = std::make_shared<TensorDataset>();
  data->images = readTensor(info[0], "images");
  data->labels = readTensor(info[1], "labels");
  data->mean = readNumbers(info[2], "mean");
  data->std = readNumbers(info[3], "std");
  data->classes = toInteger(info[4], "classes", 0, kMost);
  data->check();
  const at::Device device = readDevice(info[5]);
  data->images = data->images.to(device);
  data->labels = data->labels.to(device);
  return toHandle<Dataset>(info.Env(), data);
}

Napi::Object toTotals(Napi::Env env, const Totals& t) {
  auto result = Napi::Object::New(env);
  result.Set("loss", t.loss);
  result.Set("top1", t.top1);
  result.Set("images", static_cast<double>(t.images));
  result.Set("skipped", static_cast<double>(t.skipped));
  result.Set("seconds", t.seconds);
  if (t.loader) result.Set("loader", toLoaderStats(env, *t.loader));
  return result;
}

Napi::Value train(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const TrainOptions options = readTrainOptions(readObject(info[2], "options"));
  return runTask(info, info[3], info[4],
                 [network, data, options](const Control& control) -> ToJs {
                   const Trained t =
                       trainEpoch(network.get(), *data, options, control);
                   return [t](Napi::Env env) {
                     Napi::Object result = toTotals(env, t.totals);
                     result.Set("paused", toPause(env, t.pause));
                     result.Set("next", static_cast<double>(t.state.next));
                     result.Set("graph", t.graph);
                     NamedTensors state;
                     if (t.state.sums.defined())
                       state.emplace_back("sums", t.state.sums);
                     if (t.state.statistics.defined())
                       state.emplace_back("statistics", t.state.statistics);
                     result.Set("state", toEntries(env, state));
                     return result;
                   };
                 });
}

Napi::Value evaluateData(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const EvaluateOptions options =
      readEvaluateOptions(readObject(info[2], "options"));
  return runTask(info, info[3], info[4],
                 [network, data, options](const Control& control) -> ToJs {
                   const std::lock_guard<std::mutex> lock(network->busy);
                   const Totals t = evaluate(*network, *data, options, control);
                   return [t](Napi::Env env) {
                     Napi::Object result = toTotals(env, t);
                     result.Set("top5", t.top5);
                     return result;
                   };
                 });
}

Napi::Value forward(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const Napi::Object o = readObject(info[2], "options");
  const std::string mode = readString(o, "mode");
  require(mode == "eval" || mode == "train", "E_ARGUMENT",
          "`mode` must be eval or train, found ", mode);
  const int64_t batch = readInteger(o, "batch", 1, kMost);
  return runTask(
      info, info.Env().Null(), info.Env().Null(),
      [network, data, mode, batch](const Control& control) -> ToJs {
        const at::Tensor logits =
            logitsOf(network.get(), *data, mode == "train", batch, control);
        return [logits](Napi::Env env) { return toTensorData(env, logits); };
      });
}

Napi::Value rewriteNetwork(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  auto program = std::make_shared<Program>(readProgram(info[1]));
  const auto surgery = readSurgery(info[2]);
  const auto directions = fromHandleOrNull<Directions>(info[3]);
  const double epsilon = toNumber(info[4], "epsilon");
  require(std::isfinite(epsilon), "E_ARGUMENT",
          "`epsilon` must be a finite number, found ", epsilon);
  const std::string momentum = toText(info[5], "momentum");
  require(momentum == "keep" || momentum == "reset", "E_ARGUMENT",
          "`momentum` must be keep or reset, found ", momentum);
  const bool keeps = momentum == "keep";
  return runTask(
      info, info.Env().Null(), info.Env().Null(), [=](const Control&) -> ToJs {
        const auto grown = rewrite(network.get(), std::move(*program), surgery,
                                   directions.get(), epsilon, keeps);
        return [grown](Napi::Env env) { return toHandle(env, grown); };
      });
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  static const bool isGuarded = (guardExit(), true);
  (void)isGuarded;
  installMemory();
  keepToOneThread();
  // float32 means float32: training is to give PyTorch's weights to 1e-4.
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
  addRanks(add);
  return exports;
}

}  // namespace

NODE_API_MODULE(splitgrow_core, initialise)

}  // namespace splitgrow
