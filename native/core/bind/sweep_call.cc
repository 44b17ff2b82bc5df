// A pass over image files without a network: how fast the loader is alone, and
// what it gives.
#include <algorithm>
#include <cmath>

#include "bind/calls.h"
#include "bind/image_arguments.h"
#include "bind/options.h"
#include "tensor/clock.h"

namespace splitgrow {

namespace {

struct Slice {
  int64_t start = 0, steps = 0;  // 0 steps: all that follow
  bool keeps = false;
};

struct Swept {
  LoaderStats stats;
  int64_t images = 0;
  double seconds = 0;
  std::vector<at::Tensor> kept, labels;
};

Swept sweepSlice(const ImageDataset& data, const SweepOptions& options,
                 const Slice& slice, const Control& control) {
  const at::NoGradGuard noGrad;
  const auto start = Clock::now();
  const auto sweep = data.sweep(options);
  const int64_t left = sweep->steps() - slice.start;
  require(left > 0, "E_ARGUMENT", "`start` must be below ", sweep->steps(),
          ", found ", slice.start);
  const int64_t steps = slice.steps > 0 ? std::min(slice.steps, left) : left;
  Swept swept;
  for (int64_t i = 0; i < steps; ++i) {
    control.check();
    const int64_t step = slice.start + i;
    for (int64_t j = 0; j < sweep->pieces(step); ++j) {
      const Batch batch = sweep->piece(step, j).batch;
      swept.images += batch.labels.size(0);
      if (!slice.keeps) continue;
      swept.kept.push_back(batch.images.cpu().contiguous());
      swept.labels.push_back(batch.labels.cpu());
    }
    control.report({"scan", i + 1, steps, swept.images, secondsSince(start),
                    std::nan(""), sweep->stats()});
  }
  swept.stats = sweep->stats().value_or(LoaderStats{});
  swept.seconds = secondsSince(start);
  return swept;
}

Napi::Value toResult(Napi::Env env, const Swept& swept) {
  auto result = toLoaderStats(env, swept.stats).As<Napi::Object>();
  result.Set("images", static_cast<double>(swept.images));
  result.Set("seconds", swept.seconds);
  if (swept.kept.empty()) return result;
  auto kept = Napi::Object::New(env);
  kept.Set("images", toTensorData(env, at::cat(swept.kept)));
  kept.Set("labels", toTensorData(env, at::cat(swept.labels)));
  result.Set("kept", kept);
  return result;
}

}  // namespace

Napi::Value sweepImages(const Napi::CallbackInfo& info) {
  const auto data = readImages(info[0]);
  const Napi::Object o = readObject(info[1], "options");
  constexpr int64_t kMost = int64_t{1} << 31, kMostSeed = int64_t{1} << 53;
  const auto has = [&](const char* name) {
    const Napi::Value value = o.Get(name);
    return !value.IsUndefined() && !value.IsNull();
  };
  SweepOptions options;
  options.batch = readInteger(o, "batch", 1, kMost);
  options.shuffle = readBool(o, "shuffle");
  options.augment = readAugment(o);
  options.seed = static_cast<uint64_t>(readInteger(o, "seed", 0, kMostSeed));
  options.tensors = at::TensorOptions().dtype(at::kFloat).device(data->where);
  const Slice slice{has("start") ? readInteger(o, "start", 0, kMost) : 0,
                    has("steps") ? readInteger(o, "steps", 1, kMost) : 0,
                    has("keep") && readBool(o, "keep")};
  return runTask(
      info, info[2], info[3],
      [data, options, slice](const Control& control) -> ToJs {
        const auto swept =
            std::make_shared<Swept>(sweepSlice(*data, options, slice, control));
        return [swept](Napi::Env env) { return toResult(env, *swept); };
      });
}

}  // namespace splitgrow
