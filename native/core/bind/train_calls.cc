// Calls that train, evaluate and time networks, and what stops them.
#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/options.h"
#include "indices/bench.h"

namespace splitgrow {

namespace {

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

}  // namespace

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

Napi::Value recalibrateNetwork(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const RecalibrateOptions options =
      readRecalibrateOptions(readObject(info[2], "options"));
  return runTask(info, info[3], info[4],
                 [network, data, options](const Control& control) -> ToJs {
                   recalibrate(network.get(), *data, options, control);
                   return [](Napi::Env env) { return env.Undefined(); };
                 });
}

Napi::Value benchSteps(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const Napi::Object o = readObject(info[2], "options");
  BenchOptions options;
  options.what = readString(o, "what");
  if (o.Has("precision")) options.precision = readString(o, "precision");
  options.batch = readInteger(o, "batch", 1, kMost);
  options.repeats = readInteger(o, "repeats", 1, kMost);
  options.warmup = readInteger(o, "warmup", 0, kMost);
  options.memoryLimit = readInteger(o, "memoryLimit", 1, kMostExact);
  if (o.Has("chains")) {
    const Napi::Array chains = readArray(field(o, "chains"), "chains");
    for (uint32_t i = 0; i < chains.Length(); ++i) {
      const Napi::Value one = chains[i];
      require(one.IsBoolean(), "E_ARGUMENT", "`chains` must hold booleans");
      options.chains.push_back(one.As<Napi::Boolean>());
    }
  }
  return runTask(
      info, info.Env().Null(), info[3],
      [network, data, options](const Control& control) -> ToJs {
        const BenchResult b = bench(network.get(), *data, options, control);
        return [b](Napi::Env env) {
          auto result = Napi::Object::New(env);
          result.Set("milliseconds", toFloat64Array(env, b.milliseconds));
          result.Set("peakBytes", static_cast<double>(b.peakBytes));
          result.Set("stateBytes", static_cast<double>(b.stateBytes));
          result.Set("sweeps", static_cast<double>(b.sweeps));
          result.Set("engine", b.engine);
          auto ops = Napi::Array::New(env, b.byLibTorch.size());
          for (uint32_t i = 0; i < ops.Length(); ++i)
            ops.Set(i, b.byLibTorch[i]);
          result.Set("byLibTorch", ops);
          return result;
        };
      });
}

Napi::Value createAbort(const Napi::CallbackInfo& info) {
  return toHandle(info.Env(), std::make_shared<AbortFlag>(false));
}
Napi::Value abortTask(const Napi::CallbackInfo& info) {
  *fromHandle<AbortFlag>(info[0]) = true;
  return info.Env().Undefined();
}

Napi::Value createPause(const Napi::CallbackInfo& info) {
  return toHandle(info.Env(), std::make_shared<PauseFlag>(Pause::none));
}

Napi::Value askForPause(const Napi::CallbackInfo& info) {
  const auto flag = fromHandle<PauseFlag>(info[0]);
  const std::string why = toText(info[1], "why");
  require(why == kPauseNames[1] || why == kPauseNames[2], "E_ARGUMENT",
          "a pause is for a checkpoint or to stop, found ", why);
  // A stop is not taken back by a checkpoint that is due.
  if (Pause none = Pause::none; why == kPauseNames[2])
    *flag = Pause::stop;
  else
    flag->compare_exchange_strong(none, Pause::checkpoint);
  return info.Env().Undefined();
}

}  // namespace splitgrow
