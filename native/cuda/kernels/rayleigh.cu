// The Rayleigh step: one block a neuron.
#include "launch.cuh"

namespace splitgrow::gpu {

namespace {

// Sum over the block's threads, the same for all of them.
__device__ double sumOfBlock(double part, double* shared) {
  const int thread = static_cast<int>(threadIdx.x);
  __syncthreads();  // the last sum has been read
  shared[thread] = part;
  for (int half = kRowThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (thread < half) shared[thread] += shared[thread + half];
  }
  __syncthreads();
  return shared[0];
}

__global__ void __launch_bounds__(kRowThreads)
    rayleighKernel(const RayleighStep args) {
  __shared__ double shared[kRowThreads];
  const auto neuron = static_cast<int32_t>(blockIdx.x);
  const int thread = static_cast<int>(threadIdx.x);
  const double quotient =
      sumOfBlock(quotientPart(args, neuron, thread), shared);
  if (thread == 0) args.quotients[neuron] = quotient;
  const double norm =
      sumOfBlock(stepPart(args, neuron, thread, quotient), shared);
  unitPart(args, neuron, thread, norm);
}

}  // namespace

const char* rayleigh(const RayleighStep& args, void* stream) {
  if (args.neurons == 0 || args.dimension == 0) return nullptr;
  rayleighKernel<<<static_cast<unsigned>(args.neurons), kRowThreads, 0,
                   streamOf(stream)>>>(args);
  return launched();
}

}  // namespace splitgrow::gpu
