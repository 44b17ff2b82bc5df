// Pauses that all ranks agree on, and what is each rank's own while it pauses.
#include "pause.h"

#include "group.h"

namespace splitgrow {

namespace {

using at::Tensor;

constexpr const char* kNames[] = {"", "checkpoint", "stop"};

// The running statistics of every batch norm: what no gradient belongs to.
template <class Visit>
void forStatistics(const Network& network, Visit visit) {
  for (const Node& node : network.nodes)
    for (size_t i = 0; i < node.parameters.size(); ++i)
      if (!node.gradients[i].defined()) visit(node.parameters[i]);
}

}  // namespace

Pause pauseAsked(const std::shared_ptr<PauseFlag>& flag) {
  if (!flag) return Pause::none;
  const Pause own = flag->load();
  if (groupWorld() == 1) return own;
  const Tensor asked = at::zeros({2});  // ranks that want either
  if (own != Pause::none) asked[static_cast<int>(own) - 1] = 1;
  sumOverGroup(asked);
  const float* counts = asked.const_data_ptr<float>();
  if (counts[1] > 0) return Pause::stop;
  return counts[0] > 0 ? Pause::checkpoint : Pause::none;
}

Napi::Value toPause(Napi::Env env, Pause pause) {
  if (pause == Pause::none) return env.Null();
  return Napi::String::New(env, kNames[static_cast<int>(pause)]);
}

std::shared_ptr<PauseFlag> readPause(const Napi::Object& options) {
  if (!options.Has("pause")) return nullptr;
  return fromHandleOrNull<PauseFlag>(options.Get("pause"));
}

Tensor gatherRows(const Tensor& own) {
  std::vector<int64_t> shape = own.sizes().vec();
  shape.insert(shape.begin(), groupWorld());
  const Tensor rows = at::zeros(shape, own.options());
  rows[groupRank()].copy_(own);
  sumOverGroup(rows);
  return rows;
}

Tensor ownRow(const Tensor& rows) {
  return rows.size(0) == groupWorld() ? rows[groupRank()] : Tensor();
}

Tensor statisticsOf(const Network& network) {
  std::vector<Tensor> parts;
  forStatistics(network,
                [&](const Tensor& t) { parts.push_back(t.flatten()); });
  return parts.empty() ? at::empty({0}, network.options()) : at::cat(parts);
}

void writeStatistics(Network* network, const Tensor& row) {
  int64_t at = 0;
  forStatistics(*network, [&](const Tensor& t) {
    t.copy_(row.narrow(0, at, t.numel()).view_as(t));
    at += t.numel();
  });
}

Napi::Value createPause(const Napi::CallbackInfo& info) {
  return toHandle(info.Env(), std::make_shared<PauseFlag>(Pause::none));
}

Napi::Value askForPause(const Napi::CallbackInfo& info) {
  const auto flag = fromHandle<PauseFlag>(info[0]);
  const std::string why = info[1].ToString();
  require(why == kNames[1] || why == kNames[2], "E_ARGUMENT",
          "a pause is for a checkpoint or to stop, found ", why);
  // A stop is not taken back by a checkpoint that is due.
  if (Pause none = Pause::none; why == kNames[2])
    *flag = Pause::stop;
  else
    flag->compare_exchange_strong(none, Pause::checkpoint);
  return info.Env().Undefined();
}

}  // namespace splitgrow
