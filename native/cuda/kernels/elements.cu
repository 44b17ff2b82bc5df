// Elementwise kernels, and pictures made of pixels.
#include "launch.cuh"

namespace splitgrow::gpu {

namespace {

template <class T, int V, class Args>
__global__ void __launch_bounds__(kThreads)
    elementKernel(const Args args, int lanes) {
  run<T, V>(args, laneHere(args.extent, V, lanes));
}

template <class Args>
const char* launch(const Args& args, Type type, void* stream,
                   std::initializer_list<const void*> data) {
  return withForm(type, args.extent, data, [&](auto form) {
    using F = decltype(form);
    const Grid grid = elementGrid(args.extent, F::vector);
    elementKernel<typename F::Value, F::vector>
        <<<blocksOf(grid), kThreads, 0, streamOf(stream)>>>(args, grid.lanes);
    return launched();
  });
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    pixelKernel(const Pixels args, int64_t points) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
       i < points; i += step)
    run<T>(args, i);
}

}  // namespace

const char* affineAct(const AffineAct& args, Type type, void* stream) {
  return launch(args, type, stream, {args.x, args.y});
}
const char* actGrad(const ActGrad& args, Type type, void* stream) {
  return launch(args, type, stream, {args.x, args.g, args.out});
}
const char* combine(const Combine& args, Type type, void* stream) {
  return launch(args, type, stream, {args.x, args.dz, args.out});
}
const char* curve(const Curve& args, Type type, void* stream) {
  return launch(args, type, stream, {args.z, args.g, args.u, args.gz, args.p});
}

const char* pixels(const Pixels& args, Type type, void* stream) {
  const int64_t points = args.count * args.height * args.width;
  if (points == 0 || args.channels == 0) return nullptr;
  const int64_t blocks = (points + kThreads - 1) / kThreads;
  const auto grid =
      static_cast<unsigned>(blocks < (1 << 20) ? blocks : (1 << 20));
  if (type == Type::kFloat32)
    pixelKernel<float><<<grid, kThreads, 0, streamOf(stream)>>>(args, points);
  else
    pixelKernel<BFloat16>
        <<<grid, kThreads, 0, streamOf(stream)>>>(args, points);
  return launched();
}

}  // namespace splitgrow::gpu
