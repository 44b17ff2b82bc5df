// Vectorised CPU loops over float32 rows in channels_last order. The same
// source (kernels.inc) is compiled once per instruction set; pick() chooses.
#pragma once

#include <cstdint>

namespace splitgrow {

// Activations with a loop of their own; the order is that of kernels.inc.
enum class Act : int {
  kIdentity,
  kRelu,
  kRelu6,
  kSilu,
  kSoftplus,
  kTanh,
  kSigmoid,
  kGelu,
};

// Per-channel arguments are patterns: the C values repeated until the pattern
// is `width` long (at least 64), so that few channels still fill a vector
// register. Data is `count` floats; count and width are multiples of C.
struct Kernels {
  // y = act(scale * x + shift)
  void (*affineAct)(Act act, const float* x, int64_t count, int64_t width,
                    const float* scale, const float* shift, float* y);
  // sum += x - pivot, square += (x - pivot)^2, by pattern position
  void (*moments)(const float* x, int64_t count, int64_t width,
                  const float* pivot, float* sum, float* square);
  // dz = g * act'(scale * x + shift); sum += dz, dot += dz * (x - mean)
  void (*actGrad)(Act act, const float* x, const float* g, int64_t count,
                  int64_t width, const float* scale, const float* shift,
                  const float* mean, float* dz, float* sum, float* dot);
  // dx = a * dz + b * x + c
  void (*combine)(const float* x, const float* dz, int64_t count, int64_t width,
                  const float* a, const float* b, const float* c, float* dx);
  // gz = g * act'(z); p = g * act''(z) * square, times u where u is given.
  // gz may be null.
  void (*curvature)(Act act, const float* z, const float* g, const float* u,
                    int64_t count, int64_t width, const float* square,
                    float beta, float* gz, float* p);
  // sums[(i * d + j) * strideN + k] += sum over rows of h[r, k] x[r, i] x[r, j]
  // for k < n, i <= j (other places hold rubbish); rows of h are strideH floats
  // apart, those of x are d. `scratch` holds kMatrixScratch floats.
  void (*matrices)(const float* x, int64_t d, const float* h, int64_t strideH,
                   int64_t n, int64_t rows, float* scratch, float* sums,
                   int64_t strideN);
  // One RMSprop step on the Rayleigh quotient of each row of v [n, d], then
  // v is made unit again; quotients[i] = v_i . sv_i before the step.
  void (*rayleigh)(float* v, const float* sv, float* square, float* velocity,
                   int64_t n, int64_t d, float rate, float alpha,
                   float momentum, float epsilon, double* quotients);
};

// What `matrices` packs at a time: at most this many floats.
constexpr int64_t kMatrixScratch = 16384;
// Neurons that it works on side by side.
constexpr int64_t kMatrixLanes = 16;

const Kernels& pickKernels();

}  // namespace splitgrow
