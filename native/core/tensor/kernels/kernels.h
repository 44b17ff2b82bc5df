// Vectorised CPU loops over float32 or bfloat16 rows in channels_last order.
// The same source (kernels.inc) is compiled once per instruction set; pick()
// chooses.
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

// A number as rows hold it; c10::BFloat16 has the same bits.
struct BFloat16 {
  uint16_t bits;
};

// Loops over rows of T, float or BFloat16. Per-channel arguments and sums are
// float32 patterns: the C values repeated until the pattern is `width` long (at
// least 64), so that few channels still fill a vector register. Data is `count`
// numbers; count and width are multiples of C. Arithmetic is in float32, and
// what is stored is rounded once.
template <class T>
struct RowLoops {
  using Element = T;
  // y = act(scale * x + shift)
  void (*affineAct)(Act act, const T* x, int64_t count, int64_t width,
                    const float* scale, const float* shift, T* y);
  // sum += x - pivot, square += (x - pivot)^2, by pattern position
  void (*moments)(const T* x, int64_t count, int64_t width, const float* pivot,
                  float* sum, float* square);
  // dz = g * act'(scale * x + shift); sum += dz, dot += dz * (x - mean)
  void (*actGrad)(Act act, const T* x, const T* g, int64_t count, int64_t width,
                  const float* scale, const float* shift, const float* mean,
                  T* dz, float* sum, float* dot);
  // dx = a * dz + b * x + c
  void (*combine)(const T* x, const T* dz, int64_t count, int64_t width,
                  const float* a, const float* b, const float* c, T* dx);
  // gz = g * act'(z); p = g * act''(z) * square, times u where u is given.
  // gz may be null.
  void (*curvature)(Act act, const T* z, const T* g, const T* u, int64_t count,
                    int64_t width, const float* square, float beta, T* gz,
                    T* p);
};

// Loops over symmetric matrices of T, float or double, of which the upper
// triangle is read.
template <class T>
struct SymmetricLoops {
  // Smallest eigenpairs of `count` (at most kPairLanes) matrices: entry i <= j
  // of matrix k is sums[(i * d + j) * stride + k], all finite. The vectors
  // [count, d] are unit, of either sign; the residuals are |S v - lambda v| of
  // the numbers as they are returned. `scratch` holds pairScratch(d) numbers
  // and begins at a multiple of 64 bytes.
  void (*smallestPairs)(const T* sums, int64_t stride, int64_t d, int64_t count,
                        double* scratch, T* values, T* vectors, T* residuals);
  // y = S x of S [d, d].
  void (*product)(const T* s, int64_t d, const double* x, double* y);
};

struct Kernels {
  RowLoops<float> wide;
  RowLoops<BFloat16> narrow;
  // sums[(i * d + j) * strideN + k] += sum over rows of h[r, k] x[r, i] x[r, j]
  // for k < n, i <= j (other places hold rubbish); rows of h are strideH floats
  // apart, those of x are d. `scratch` holds kMatrixScratch floats.
  void (*matrices)(const float* x, int64_t d, const float* h, int64_t strideH,
                   int64_t n, int64_t rows, float* scratch, float* sums,
                   int64_t strideN);
  SymmetricLoops<float> symmetric;
  SymmetricLoops<double> symmetricDouble;
  // Takes from w [d] what it has along the unit rows of `basis` [rows, d].
  void (*orthogonalise)(const double* basis, int64_t rows, int64_t d,
                        double* w);
  // The unit vector [d] of the smallest eigenvalue of a tridiagonal matrix of
  // numbers that are about 1 at most, and a bound below that eigenvalue, within
  // rounding of it. `scratch` is as that of `smallestPairs`.
  double (*smallestTridiagonal)(const double* diagonal, const double* beside,
                                int64_t d, double* scratch, double* vector);
  // One RMSprop step on the Rayleigh quotient of each row of v [n, d], then
  // v is made unit again; quotients[i] = v_i . sv_i before the step.
  void (*rayleigh)(float* v, const float* sv, float* square, float* velocity,
                   int64_t n, int64_t d, float rate, float alpha,
                   float momentum, float epsilon, double* quotients);
  // sums[i] = sum over t < taps of weights[t] * rows[t * rowBytes + i], i <
  // count
  void (*imageRow)(const uint8_t* rows, int64_t rowBytes, const float* weights,
                   int64_t taps, int64_t count, float* sums);
  // Pixels of four floats to pixels of three bytes: to[x] = the rounded sum
  // over t < taps of weights[x * taps + t] * from[first[x] + t]
  void (*imageColumns)(const float* from, const int32_t* first,
                       const float* weights, int64_t taps, int64_t width,
                       uint8_t* to);
  // to = scale * from + shift, both by pattern of `width` (a multiple of 48)
  void (*normalise)(const uint8_t* from, int64_t count, const float* scale,
                    const float* shift, int64_t width, float* to);
};

// What `matrices` packs at a time: at most this many floats.
constexpr int64_t kMatrixScratch = 16384;
// Neurons that it works on side by side.
constexpr int64_t kMatrixLanes = 16;
// Matrices that `smallestPairs` takes.
constexpr int64_t kPairLanes = 8;
// Numbers of its scratch memory for matrices of d rows.
constexpr int64_t pairScratch(int64_t d) {
  return kPairLanes * (d * (d + 1) / 2 + 7 * d);
}

const Kernels& pickKernels();

template <class T>
const SymmetricLoops<T>& pickSymmetric() {
  if constexpr (sizeof(T) == sizeof(double))
    return pickKernels().symmetricDouble;
  else
    return pickKernels().symmetric;
}

}  // namespace splitgrow
