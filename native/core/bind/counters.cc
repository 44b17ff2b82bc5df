// Counters as JavaScript objects.
#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/environment.h"
#include "bind/nvml.h"
#include "tensor/memory.h"

namespace splitgrow {

Napi::Value readMemory(const Napi::CallbackInfo& info) {
  const MemoryCounters m = memoryOf(readDevice(info[0]));
  auto object = Napi::Object::New(info.Env());
  object.Set("allocated", static_cast<double>(m.allocated));
  object.Set("peak", static_cast<double>(m.peak));
  object.Set("reserved", static_cast<double>(m.reserved));
  const auto orNull = [&](int64_t bytes) -> Napi::Value {
    if (bytes < 0) return info.Env().Null();
    return Napi::Number::New(info.Env(), static_cast<double>(bytes));
  };
  object.Set("free", orNull(m.free));
  object.Set("total", orNull(m.total));
  return object;
}

Napi::Value readHandles(const Napi::CallbackInfo& info) {
  const auto counts = countHandles(*environment(info.Env()).live);
  auto rows = Napi::Array::New(info.Env(), counts.size());
  for (uint32_t i = 0; i < counts.size(); ++i) {
    auto row = Napi::Object::New(info.Env());
    row.Set("kind", counts[i].kind);
    row.Set("handles", static_cast<double>(counts[i].handles));
    row.Set("bytes", static_cast<double>(counts[i].bytes));
    rows[i] = row;
  }
  return rows;
}

Napi::Value emptyCaches(const Napi::CallbackInfo& info) {
  emptyMemory();
  emptyDeviceMemory();
  return info.Env().Undefined();
}

Napi::Value readEnergy(const Napi::CallbackInfo& info) {
  const auto gpus = readGpus();
  auto rows = Napi::Array::New(info.Env(), gpus.size());
  const auto orNull = [&](const std::optional<double>& value) -> Napi::Value {
    if (!value) return info.Env().Null();
    return Napi::Number::New(info.Env(), *value);
  };
  for (uint32_t i = 0; i < gpus.size(); ++i) {
    auto row = Napi::Object::New(info.Env());
    row.Set("uuid", gpus[i].uuid);
    row.Set("name", gpus[i].name);
    row.Set("joules", orNull(gpus[i].joules));
    row.Set("watts", orNull(gpus[i].watts));
    row.Set("utilisation", orNull(gpus[i].utilisation));
    rows[i] = row;
  }
  return rows;
}

}  // namespace splitgrow
