// Sums over rows in two stages: a tree within each block, then one thread a
// channel over the blocks. No atomics: the order is always the same.
#include "launch.cuh"

namespace splitgrow::gpu {

namespace {

// Partials of block (x, y): [2][gridDim.x][channels].
template <class T, int V, class Args>
__global__ void __launch_bounds__(kThreads)
    partialKernel(const Args args, int lanes) {
  __shared__ float shared[2 * V][kThreads];
  const Lane lane = laneHere(args.extent, V, lanes);
  const int thread = static_cast<int>(threadIdx.x);
  const Pair<V> sums = sumsOf<T, V>(args, lane);
  for (int k = 0; k < V; ++k) {
    shared[k][thread] = sums.first[k];
    shared[V + k][thread] = sums.second[k];
  }
  // Thread t is lane t % lanes of row t / lanes: the upper half of the rows
  // joins the lower one.
  for (int half = kThreads / 2; half >= lanes; half /= 2) {
    __syncthreads();
    if (thread < half)
      for (int k = 0; k < 2 * V; ++k)
        shared[k][thread] += shared[k][thread + half];
  }
  // What is written next is each thread's own place: no barrier needed.
  if (thread >= lanes || !lane.isInside) return;
  const int64_t channels = args.extent.channels;
  const int64_t at = static_cast<int64_t>(blockIdx.x) * channels + lane.channel;
  const int64_t half = static_cast<int64_t>(gridDim.x) * channels;
  for (int k = 0; k < V; ++k) {
    args.partials[at + k] = shared[k][thread];
    args.partials[half + at + k] = shared[V + k][thread];
  }
}

template <class T, class Args, class Result>
__global__ void __launch_bounds__(kFinishLanes* kFinishThreads)
    finishKernel(const Args args, const Result result, int blocks) {
  __shared__ double first[kFinishThreads][kFinishLanes];
  __shared__ double second[kFinishThreads][kFinishLanes];
  const int x = static_cast<int>(threadIdx.x);
  const int y = static_cast<int>(threadIdx.y);
  const int32_t channel = static_cast<int32_t>(blockIdx.x) * kFinishLanes + x;
  const bool isInside = channel < args.extent.channels;
  Doubles sums = {0, 0};
  if (isInside)
    sums = partialsOf(args.partials, blocks, args.extent.channels, channel, y);
  first[y][x] = sums.first;
  second[y][x] = sums.second;
  for (int half = kFinishThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (y < half) {
      first[y][x] += first[y + half][x];
      second[y][x] += second[y + half][x];
    }
  }
  if (y == 0 && isInside)
    finish<T>(args, result, channel, {first[0][x], second[0][x]});
}

template <class Args, class Result>
const char* launch(const Args& args, const Result& result, Type type,
                   void* stream, std::initializer_list<const void*> data) {
  return withForm(type, args.extent, data, [&](auto form) {
    using F = decltype(form);
    using T = typename F::Value;
    const Grid grid = sumGrid(args.extent, F::vector);
    partialKernel<T, F::vector>
        <<<blocksOf(grid), kThreads, 0, streamOf(stream)>>>(args, grid.lanes);
    if (const char* error = launched()) return error;
    const auto blocks = static_cast<unsigned>(
        (args.extent.channels + kFinishLanes - 1) / kFinishLanes);
    finishKernel<T>
        <<<blocks, dim3(kFinishLanes, kFinishThreads), 0, streamOf(stream)>>>(
            args, result, grid.along);
    return launched();
  });
}

}  // namespace

const char* moments(const MomentSums& sums, const MomentResult& result,
                    Type type, void* stream) {
  return launch(sums, result, type, stream, {sums.x});
}
const char* gradSums(const GradSums& sums, const GradResult& result, Type type,
                     void* stream) {
  return launch(sums, result, type, stream, {sums.x, sums.g, sums.dz});
}

}  // namespace splitgrow::gpu
