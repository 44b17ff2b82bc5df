// Between JavaScript and the core: handles, the guard around every exported
// call, readers of arguments, and calls that run on a thread of their own.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tensor/control.h"
#include "tensor/error.h"
#include "train/pause.h"

namespace splitgrow {

struct Network;
struct Dataset;
struct Directions;
struct IndicesState;

// What a handle may hold. JavaScript sees the name as `kind`, and errors say
// it.
template <class T>
struct Kind;
template <>
struct Kind<Network> {
  static constexpr const char* name = "network";
};
template <>
struct Kind<Dataset> {
  static constexpr const char* name = "dataset";
};
template <>
struct Kind<Directions> {
  static constexpr const char* name = "directions";
};
template <>
struct Kind<IndicesState> {
  static constexpr const char* name = "indices-state";
};
template <>
struct Kind<AbortFlag> {
  static constexpr const char* name = "abort";
};
template <>
struct Kind<PauseFlag> {
  static constexpr const char* name = "pause";
};

// Sets up the handle class and the list of running tasks of this environment.
void initBoundary(Napi::Env env);

Napi::Value makeHandle(Napi::Env env, const char* kind,
                       std::shared_ptr<void> held);
std::shared_ptr<void> readHandle(const Napi::Value& value, const char* kind);

template <class T>
Napi::Value toHandle(Napi::Env env, std::shared_ptr<T> held) {
  return makeHandle(env, Kind<T>::name, std::move(held));
}
template <class T>
std::shared_ptr<T> fromHandle(const Napi::Value& value) {
  return std::static_pointer_cast<T>(readHandle(value, Kind<T>::name));
}
template <class T>
std::shared_ptr<T> fromHandleOrNull(const Napi::Value& value) {
  if (value.IsNull() || value.IsUndefined()) return nullptr;
  return fromHandle<T>(value);
}

constexpr int64_t kMostThreads = 1024;

// Readers: throw Error{E_ARGUMENT} naming the field.
double toNumber(const Napi::Value& value, const char* name);
int64_t toInteger(const Napi::Value& value, const char* name, int64_t least,
                  int64_t most);
std::string toText(const Napi::Value& value, const char* name);
Napi::Value field(const Napi::Object& object, const char* name);
double readNumber(const Napi::Object& object, const char* name);
// Neither NaN nor infinite.
double readFinite(const Napi::Object& object, const char* name);
int64_t readInteger(const Napi::Object& object, const char* name, int64_t least,
                    int64_t most);
bool readBool(const Napi::Object& object, const char* name);
std::string readString(const Napi::Object& object, const char* name);
Napi::Object readObject(const Napi::Value& value, const char* what);
Napi::Array readArray(const Napi::Value& value, const char* what);
std::vector<int64_t> readIntegers(const Napi::Value& value, const char* what);
std::vector<double> readNumbers(const Napi::Value& value, const char* what);

// Its first byte, or null if the array is empty or detached.
const uint8_t* bytesOf(const Napi::TypedArray& array);
// TensorData <-> at::Tensor (a copy either way).
at::Tensor readTensor(const Napi::Value& value, const std::string& name);
Napi::Value toTensorData(Napi::Env env, const at::Tensor& tensor);
NamedTensors readTensors(const Napi::Value& value, const char* what);
Napi::Value toEntries(Napi::Env env, const NamedTensors& tensors);
Napi::Float64Array toFloat64Array(Napi::Env env, const std::vector<double>& v);
at::Device readDevice(const Napi::Value& value);

Napi::Value toLoaderStats(Napi::Env env, const LoaderStats& stats);

using ToJs = std::function<Napi::Value(Napi::Env)>;
using Work = std::function<ToJs(const Control&)>;

// Runs `work` on a new thread. `work` returns a function; the JavaScript thread
// calls it, and the promise resolves with its value.
Napi::Value runTask(const Napi::CallbackInfo& info, Napi::Value progress,
                    Napi::Value abort, Work work);

using Exported = Napi::Value (*)(const Napi::CallbackInfo&);
// Turns every C++ exception into a JavaScript error with a code.
template <Exported call>
Napi::Value guard(const Napi::CallbackInfo& info);
[[noreturn]] void rethrow(Napi::Env env, const std::exception_ptr& failure);

template <Exported call>
Napi::Value guard(const Napi::CallbackInfo& info) {
  try {
    return call(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    rethrow(info.Env(), std::current_exception());
  }
}

}  // namespace splitgrow
