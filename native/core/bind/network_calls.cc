// Calls that make, read, write and rewrite networks.
#include <cmath>
#include <cstring>

#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/options.h"
#include "indices/surgery.h"
#include "train/train.h"

namespace splitgrow {

namespace {

using at::Tensor;

Tensor readTyped(const Napi::Object& object, const char* name,
                 napi_typedarray_type type) {
  const Napi::Value value = field(object, name);
  if (value.IsNull()) return Tensor();
  require(value.IsTypedArray() &&
              value.As<Napi::TypedArray>().TypedArrayType() == type,
          "E_ARGUMENT", "surgery.", name, " has a wrong type");
  const auto array = value.As<Napi::TypedArray>();
  const auto length = static_cast<int64_t>(array.ElementLength());
  const Tensor copy =
      at::empty({length}, type == napi_int32_array ? at::kInt : at::kFloat);
  if (length > 0) std::memcpy(copy.data_ptr(), bytesOf(array), copy.nbytes());
  return copy;
}

std::vector<TensorSurgery> readSurgery(const Napi::Value& value) {
  std::vector<TensorSurgery> surgery;
  const Napi::Array list = readArray(value, "surgery");
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::HandleScope scope(list.Env());
    const Napi::Object o = readObject(list[i], "surgery");
    TensorSurgery s;
    s.name = readString(o, "name");
    const Napi::Value direction = field(o, "direction");
    if (direction.IsString())
      s.direction = direction.As<Napi::String>().Utf8Value();
    s.rows = readTyped(o, "rows", napi_int32_array);
    s.shift = readTyped(o, "shift", napi_float32_array);
    s.rowShares = readTyped(o, "rowShares", napi_float32_array);
    s.columns = readTyped(o, "columns", napi_int32_array);
    s.scales = readTyped(o, "scales", napi_float32_array);
    s.scalesStep = !o.Has("scalesStep") || readBool(o, "scalesStep");
    surgery.push_back(std::move(s));
  }
  return surgery;
}

std::unique_lock<std::mutex> idle(const std::shared_ptr<Network>& network) {
  std::unique_lock<std::mutex> lock(network->busy, std::try_to_lock);
  require(lock.owns_lock(), "E_HANDLE",
          "the network is at work; await the running call first");
  return lock;
}

}  // namespace

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

}  // namespace splitgrow
