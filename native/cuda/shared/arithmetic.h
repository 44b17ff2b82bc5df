// What a GPU thread computes for one value, compiled for the GPU by nvcc and
// for the CPU's twin by the C++ compiler: the tests run the same source.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "tensor/kernels/kernels.h"

#if defined(__CUDACC__)
#define SPLITGROW_BOTH __host__ __device__ __forceinline__
#else
#define SPLITGROW_BOTH inline
#endif

namespace splitgrow::gpu {

// The upper half of a float32.
struct BFloat16 {
  uint16_t bits;
};

SPLITGROW_BOTH float toFloat(float x) { return x; }
SPLITGROW_BOTH float toFloat(BFloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
SPLITGROW_BOTH T fromFloat(float x);
template <>
SPLITGROW_BOTH float fromFloat<float>(float x) {
  return x;
}
// To the nearest, ties to even.
template <>
SPLITGROW_BOTH BFloat16 fromFloat<BFloat16>(float x) {
  BFloat16 y;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
#else
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
  y.bits =
      isNan
          ? static_cast<uint16_t>(0x7fff)
          : static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
#endif
  return y;
}

// 1 / (1 + exp(-x))
SPLITGROW_BOTH float logistic(float x) {
#if defined(__CUDA_ARCH__)
  return __fdividef(1.0f, 1.0f + expf(-x));
#else
  return 1.0f / (1.0f + expf(-x));
#endif
}

SPLITGROW_BOTH float softplusSecond(float z, float beta) {
  const float s = logistic(beta * z);
  return beta * s * (1.0f - s);
}

// Value and both derivatives, as kernels.inc of the core computes them.
struct Identity {
  static SPLITGROW_BOTH float value(float z) { return z; }
  static SPLITGROW_BOTH float first(float) { return 1.0f; }
  static SPLITGROW_BOTH float second(float, float) { return 0.0f; }
};
// Comparisons that a NaN fails let it and its gradient through, as in LibTorch.
struct Relu {
  static SPLITGROW_BOTH float value(float z) { return z <= 0.0f ? 0.0f : z; }
  static SPLITGROW_BOTH float first(float z) { return z <= 0.0f ? 0.0f : 1.0f; }
  static SPLITGROW_BOTH float second(float z, float beta) {
    return softplusSecond(z, beta);
  }
};
struct Relu6 {
  static SPLITGROW_BOTH float value(float z) {
    const float y = z <= 0.0f ? 0.0f : z;
    return y > 6.0f ? 6.0f : y;
  }
  static SPLITGROW_BOTH float first(float z) {
    return z <= 0.0f || z >= 6.0f ? 0.0f : 1.0f;
  }
  static SPLITGROW_BOTH float second(float z, float beta) {
    return softplusSecond(z, beta) - softplusSecond(z - 6.0f, beta);
  }
};
struct Silu {
  static SPLITGROW_BOTH float value(float z) { return z * logistic(z); }
  static SPLITGROW_BOTH float first(float z) {
    const float s = logistic(z);
    return s * (1.0f + z * (1.0f - s));
  }
  static SPLITGROW_BOTH float second(float z, float) {
    const float s = logistic(z);
    return s * (1.0f - s) * (2.0f + z * (1.0f - 2.0f * s));
  }
};
struct Softplus {
  static SPLITGROW_BOTH float value(float z) {
    return z > 20.0f ? z : log1pf(expf(z));
  }
  static SPLITGROW_BOTH float first(float z) { return logistic(z); }
  static SPLITGROW_BOTH float second(float z, float) {
    return softplusSecond(z, 1.0f);
  }
};
struct Tanh {
  static SPLITGROW_BOTH float value(float z) { return tanhf(z); }
  static SPLITGROW_BOTH float first(float z) {
    const float t = tanhf(z);
    return 1.0f - t * t;
  }
  static SPLITGROW_BOTH float second(float z, float) {
    const float t = tanhf(z);
    return -2.0f * t * (1.0f - t * t);
  }
};
struct Sigmoid {
  static SPLITGROW_BOTH float value(float z) { return logistic(z); }
  static SPLITGROW_BOTH float first(float z) {
    const float s = logistic(z);
    return s * (1.0f - s);
  }
  static SPLITGROW_BOTH float second(float z, float) {
    const float s = logistic(z);
    return s * (1.0f - s) * (1.0f - 2.0f * s);
  }
};
struct Gelu {
  static SPLITGROW_BOTH float cumulative(float z) {
    return 0.5f * (1.0f + erff(z * 0.70710678118654752f));
  }
  static SPLITGROW_BOTH float density(float z) {
    return 0.39894228040143268f * expf(-0.5f * z * z);
  }
  static SPLITGROW_BOTH float value(float z) { return z * cumulative(z); }
  static SPLITGROW_BOTH float first(float z) {
    return cumulative(z) + z * density(z);
  }
  static SPLITGROW_BOTH float second(float z, float) {
    return density(z) * (2.0f - z * z);
  }
};

// Calls `run` with the activation's struct: once a vector, not once a value.
template <class F>
SPLITGROW_BOTH void withAct(Act act, const F& run) {
  switch (act) {
    case Act::kIdentity:
      return run(Identity());
    case Act::kRelu:
      return run(Relu());
    case Act::kRelu6:
      return run(Relu6());
    case Act::kSilu:
      return run(Silu());
    case Act::kSoftplus:
      return run(Softplus());
    case Act::kTanh:
      return run(Tanh());
    case Act::kSigmoid:
      return run(Sigmoid());
    case Act::kGelu:
      return run(Gelu());
  }
}

}  // namespace splitgrow::gpu
