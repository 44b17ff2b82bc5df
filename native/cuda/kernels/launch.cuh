// Launching: streams, grids and what a launch failed by.
#pragma once

#include <cuda_runtime.h>

#include "../shared/forms.h"

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

}  // namespace splitgrow::gpu
