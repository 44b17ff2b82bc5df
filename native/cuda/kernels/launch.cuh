// Launching: the types and vector widths that kernels are made for.
#pragma once

#include <cuda_runtime.h>

#include "../shared/sums.h"

namespace splitgrow::gpu {

inline const char* launched() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
inline cudaStream_t streamOf(void* stream) {
  return static_cast<cudaStream_t>(stream);
}
inline dim3 blocksOf(const Grid& grid) {
  return dim3(static_cast<unsigned>(grid.along),
              static_cast<unsigned>(grid.across));
}
__device__ inline Lane laneHere(const Extent& extent, int vector, int lanes) {
  return laneOf(extent, vector, lanes, static_cast<int>(gridDim.x),
                static_cast<int>(threadIdx.x), static_cast<int>(blockIdx.y),
                static_cast<int>(blockIdx.x));
}

template <class T, int V>
struct Form {
  using Value = T;
  static constexpr int vector = V;
};
// Calls `run` with the form for this type and for the widest vector that fits.
template <class F>
const char* withForm(Type type, const Extent& extent,
                     std::initializer_list<const void*> data, const F& run) {
  if (extent.rows <= 0 || extent.channels <= 0) return nullptr;
  if (type == Type::kFloat32) {
    const int vector = vectorOf<float>(extent, data);
    return vector == 4   ? run(Form<float, 4>())
           : vector == 2 ? run(Form<float, 2>())
                         : run(Form<float, 1>());
  }
  const int vector = vectorOf<BFloat16>(extent, data);
  return vector == 8   ? run(Form<BFloat16, 8>())
         : vector == 2 ? run(Form<BFloat16, 2>())
                       : run(Form<BFloat16, 1>());
}

}  // namespace splitgrow::gpu
