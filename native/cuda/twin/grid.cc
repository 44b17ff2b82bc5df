// The kernels' twin on the CPU: the same lanes, blocks and trees, one after the
// other. For tests, which have no GPU; nothing here is fast.
#include <vector>

#include "../shared/forms.h"

namespace splitgrow::gpu {

namespace {

template <class Args>
const char* launch(const Args& args, Type type,
                   std::initializer_list<const void*> data) {
  return withForm(type, args.extent, data, [&](auto form) -> const char* {
    using F = decltype(form);
    const Grid grid = elementGrid(args.extent, F::vector);
    for (int y = 0; y < grid.across; ++y)
      for (int x = 0; x < grid.along; ++x)
        for (int t = 0; t < kThreads; ++t)
          run<typename F::Value, F::vector>(
              args,
              laneOf(args.extent, F::vector, grid.lanes, grid.along, t, y, x));
    return nullptr;
  });
}

template <class T, int V, class Args>
void partialBlock(const Args& args, const Grid& grid, int x, int y) {
  std::vector<Pair<V>> shared;
  for (int t = 0; t < kThreads; ++t)
    shared.push_back(sumsOf<T, V>(
        args, laneOf(args.extent, V, grid.lanes, grid.along, t, y, x)));
  for (int half = kThreads / 2; half >= grid.lanes; half /= 2)
    for (int t = 0; t < half; ++t)
      for (int k = 0; k < V; ++k) {
        shared[t].first[k] += shared[t + half].first[k];
        shared[t].second[k] += shared[t + half].second[k];
      }
  const int64_t channels = args.extent.channels;
  const int64_t half = grid.along * channels;
  for (int t = 0; t < grid.lanes; ++t) {
    const Lane lane = laneOf(args.extent, V, grid.lanes, grid.along, t, y, x);
    if (!lane.isInside) continue;
    for (int k = 0; k < V; ++k) {
      const int64_t at = x * channels + lane.channel + k;
      args.partials[at] = shared[t].first[k];
      args.partials[half + at] = shared[t].second[k];
    }
  }
}

template <class Args, class Result>
const char* launch(const Args& args, const Result& result, Type type,
                   std::initializer_list<const void*> data) {
  return withForm(type, args.extent, data, [&](auto form) -> const char* {
    using F = decltype(form);
    const Grid grid = sumGrid(args.extent, F::vector);
    for (int y = 0; y < grid.across; ++y)
      for (int x = 0; x < grid.along; ++x)
        partialBlock<typename F::Value, F::vector>(args, grid, x, y);
    for (int32_t c = 0; c < args.extent.channels; ++c) {
      Doubles shared[kFinishThreads];
      for (int t = 0; t < kFinishThreads; ++t)
        shared[t] =
            partialsOf(args.partials, grid.along, args.extent.channels, c, t);
      for (int half = kFinishThreads / 2; half > 0; half /= 2)
        for (int t = 0; t < half; ++t) {
          shared[t].first += shared[t + half].first;
          shared[t].second += shared[t + half].second;
        }
      finish<typename F::Value>(args, result, c, shared[0]);
    }
    return nullptr;
  });
}

template <class Part>
double sumOfBlock(const Part& part) {
  double shared[kRowThreads];
  for (int t = 0; t < kRowThreads; ++t) shared[t] = part(t);
  for (int half = kRowThreads / 2; half > 0; half /= 2)
    for (int t = 0; t < half; ++t) shared[t] += shared[t + half];
  return shared[0];
}

}  // namespace

const char* affineAct(const AffineAct& args, Type type, void*) {
  return launch(args, type, {args.x, args.y});
}
const char* actGrad(const ActGrad& args, Type type, void*) {
  return launch(args, type, {args.x, args.g, args.out});
}
const char* combine(const Combine& args, Type type, void*) {
  return launch(args, type, {args.x, args.dz, args.out});
}
const char* curve(const Curve& args, Type type, void*) {
  return launch(args, type, {args.z, args.g, args.u, args.gz, args.p});
}
const char* moments(const MomentSums& sums, const MomentResult& result,
                    Type type, void*) {
  return launch(sums, result, type, {sums.x});
}
const char* gradSums(const GradSums& sums, const GradResult& result, Type type,
                     void*) {
  return launch(sums, result, type, {sums.x, sums.g, sums.dz});
}

const char* rayleigh(const RayleighStep& o, void*) {
  if (o.dimension == 0) return nullptr;
  for (int32_t i = 0; i < o.neurons; ++i) {
    const double quotient =
        sumOfBlock([&](int t) { return quotientPart(o, i, t); });
    o.quotients[i] = quotient;
    const double norm =
        sumOfBlock([&](int t) { return stepPart(o, i, t, quotient); });
    for (int t = 0; t < kRowThreads; ++t) unitPart(o, i, t, norm);
  }
  return nullptr;
}

const char* pixels(const Pixels& o, Type type, void*) {
  const int64_t points = o.count * o.height * o.width;
  for (int64_t i = 0; i < points; ++i)
    type == Type::kFloat32 ? run<float>(o, i) : run<BFloat16>(o, i);
  return nullptr;
}

}  // namespace splitgrow::gpu
