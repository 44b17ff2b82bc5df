// Joining and leaving the group, what JavaScript exchanges over it, and how
// minibatches are shared.
#include <cstring>

#include "bind/boundary.h"
#include "bind/calls.h"
#include "bind/options.h"
#include "ranks/group.h"
#include "train/data.h"

namespace splitgrow {

namespace {

Napi::Value inBackground(const Napi::CallbackInfo& info, Work work) {
  return runTask(info, info.Env().Null(), info.Env().Null(), std::move(work));
}

}  // namespace

Napi::Value joinRanks(const Napi::CallbackInfo& info) {
  const GroupOptions options = readGroupOptions(readObject(info[0], "options"));
  return inBackground(info, [options](const Control&) -> ToJs {
    joinGroup(options);
    return [](Napi::Env env) { return env.Undefined(); };
  });
}

Napi::Value leaveRanks(const Napi::CallbackInfo& info) {
  const std::string reason =
      info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
  return inBackground(info, [reason](const Control&) -> ToJs {
    leaveGroup(reason);
    return [](Napi::Env env) { return env.Undefined(); };
  });
}

// Float64Array -> the sum over the ranks.
Napi::Value sumOverRanks(const Napi::CallbackInfo& info) {
  const at::Tensor values =
      at::tensor(readNumbers(info[0], "values"), at::kDouble);
  return inBackground(info, [values](const Control&) -> ToJs {
    sumOverGroup(values);
    return [values](Napi::Env env) {
      const auto* from = values.const_data_ptr<double>();
      return toFloat64Array(env, {from, from + values.numel()});
    };
  });
}

// Gives the Uint8Array of rank 0 to every rank. What other ranks pass is
// ignored.
Napi::Value broadcastOverRanks(const Napi::CallbackInfo& info) {
  at::Tensor given = at::empty({0}, at::kByte);
  if (!info[0].IsNull()) {
    require(info[0].IsTypedArray(), "E_ARGUMENT",
            "`bytes` must be a Uint8Array or null");
    const auto array = info[0].As<Napi::TypedArray>();
    given = at::empty({static_cast<int64_t>(array.ByteLength())}, at::kByte);
    if (given.numel() > 0)
      std::memcpy(given.data_ptr(), bytesOf(array), given.nbytes());
  }
  return inBackground(info, [given](const Control&) -> ToJs {
    const at::Tensor size = at::full({1}, given.numel(), at::kLong);
    broadcastOverGroup(size);
    const at::Tensor bytes =
        groupRank() == 0 ? given : at::empty({size.item<int64_t>()}, at::kByte);
    if (bytes.numel() > 0) broadcastOverGroup(bytes);
    return [bytes](Napi::Env env) -> Napi::Value {
      return Napi::Buffer<uint8_t>::Copy(env, bytes.const_data_ptr<uint8_t>(),
                                         bytes.numel());
    };
  });
}

// The images that a rank works on: rows of [step, piece, from, count], where
// `from` is a position in the order of the pass.
Napi::Value rowsOfRank(const Napi::CallbackInfo& info) {
  const Napi::Object o = readObject(info[0], "options");
  Shares shares;
  shares.size = readInteger(o, "images", 1, kMost);
  shares.batch = readInteger(o, "batch", 1, kMost);
  shares.micro = readInteger(o, "microBatch", 0, kMost);
  shares.world = readInteger(o, "world", 1, 1 << 20);
  shares.rank = readInteger(o, "rank", 0, shares.world - 1);
  constexpr size_t kMostNumbers = size_t{1} << 26;
  std::vector<double> rows;
  for (int64_t i = 0; i < shares.steps(); ++i)
    for (int64_t j = 0; j < shares.pieces(i); ++j) {
      require(rows.size() < kMostNumbers, "E_ARGUMENT",
              "the rows of that many pieces are more than an array may hold");
      const auto [from, count] = shares.rows(i, j);
      for (const int64_t value : {i, j, from, count})
        rows.push_back(static_cast<double>(value));
    }
  return toFloat64Array(info.Env(), rows);
}

}  // namespace splitgrow
