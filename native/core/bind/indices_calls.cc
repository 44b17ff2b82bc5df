// Splitting indices between JavaScript and the core.
#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/options.h"
#include "engine/kept.h"
#include "indices/indices_state.h"

namespace splitgrow {

namespace {

// Names of engine::Form, in its order.
constexpr const char* kForms[] = {"none", "inputs", "matrices"};

Napi::Value toIndices(Napi::Env env, const Indices& indices,
                      const Network& network, const IndicesOptions& options,
                      Pause pause, double seconds) {
  if (pause != Pause::none) {
    auto paused = Napi::Object::New(env);
    paused.Set("paused", toPause(env, pause));
    paused.Set("seconds", seconds);
    return paused;
  }
  auto chains = Napi::Array::New(env, indices.chains.size());
  for (uint32_t i = 0; i < indices.chains.size(); ++i) {
    const Chain& chain = network.program.chains[i];
    auto row = Napi::Object::New(env);
    row.Set("id", chain.id);
    row.Set("method", kMethodNames[static_cast<int>(options.methods[i])]);
    row.Set("neurons", static_cast<double>(chain.neurons));
    row.Set("dimension", static_cast<double>(chain.dimension));
    row.Set("indices", toFloat64Array(env, indices.chains[i].indices));
    row.Set("residuals", toFloat64Array(env, indices.chains[i].residuals));
    row.Set("epochs", static_cast<double>(indices.chains[i].epochs));
    row.Set("above", static_cast<double>(
                         countAbove(indices.chains[i], options.tolerance)));
    chains[i] = row;
  }
  auto result = Napi::Object::New(env);
  result.Set("paused", env.Null());
  result.Set("chains", chains);
  result.Set("directions", toHandle(env, indices.directions));
  result.Set("seconds", seconds);
  return result;
}

}  // namespace

Napi::Value indicesOf(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const Napi::Object o = readObject(info[2], "options");
  const IndicesOptions options = readIndicesOptions(o);
  const auto begun = fromHandleOrNull<IndicesState>(o.Get("state"));
  return runTask(
      info, info[3], info[4],
      [network, data, options, begun](const Control& control) -> ToJs {
        const auto state =
            begun ? begun : std::make_shared<IndicesState>(*network, options);
        const Pause pause =
            computeIndices(network.get(), *data, options, control, state.get());
        const std::lock_guard<std::mutex> lock(state->busy);
        return [network, options, state, pause,
                seconds = state->seconds](Napi::Env env) {
          return toIndices(env, state->result, *network, options, pause,
                           seconds);
        };
      });
}

Napi::Value createIndicesState(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const IndicesOptions options =
      readIndicesOptions(readObject(info[1], "options"));
  const NamedTensors tensors = readTensors(info[2], "tensors");
  return runTask(info, info.Env().Null(), info.Env().Null(),
                 [network, options, tensors](const Control&) -> ToJs {
                   const at::NoGradGuard noGrad;
                   const auto state = stateOf(*network, options, tensors);
                   return
                       [state](Napi::Env env) { return toHandle(env, state); };
                 });
}

Napi::Value readIndicesState(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const IndicesOptions options =
      readIndicesOptions(readObject(info[1], "options"));
  const auto state = fromHandle<IndicesState>(info[2]);
  const int64_t bytes = toInteger(info[3], "bytes", 0, int64_t{1} << 53);
  const std::unique_lock<std::mutex> lock(state->busy, std::try_to_lock);
  require(lock.owns_lock(), "E_HANDLE",
          "the indices are being computed; await the running call first");
  const at::NoGradGuard noGrad;
  return toEntries(info.Env(), tensorsOf(*state, *network, options, bytes));
}

Napi::Value readDirections(const Napi::CallbackInfo& info) {
  return toEntries(info.Env(), fromHandle<Directions>(info[0])->tensors);
}
Napi::Value createDirections(const Napi::CallbackInfo& info) {
  auto directions = std::make_shared<Directions>();
  const at::Device device = readDevice(info[1]);
  for (const auto& [name, tensor] : readTensors(info[0], "directions"))
    directions->tensors.emplace_back(name, tensor.to(device));
  return toHandle(info.Env(), directions);
}

Napi::Value keptByLobpcg(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto network = fromHandle<Network>(info[0]);
  const std::vector<int64_t> positions = readIntegers(info[1], "positions");
  const int64_t images = toInteger(info[2], "images", 1, int64_t{1} << 53);
  const size_t chains = network->program.chains.size();
  require(positions.size() == chains, "E_ARGUMENT",
          "positions: expected one number for each of ", chains,
          " chains, found ", positions.size());
  for (const int64_t count : positions)
    require(count >= 1 && count <= INT32_MAX, "E_ARGUMENT",
            "positions: expected numbers from 1 to ", INT32_MAX, ", found ",
            count);
  const auto sizes = engine::keptSizes(*network, positions, images);
  auto rows = Napi::Array::New(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); ++i) {
    auto row = Napi::Object::New(env);
    row.Set("form", kForms[static_cast<int>(sizes[i].form)]);
    row.Set("bytes", sizes[i].bytes);
    rows[i] = row;
  }
  return rows;
}

}  // namespace splitgrow
