// The kernels' C++ face, free of LibTorch and of CUDA's headers: kernels/*.cu
// launches them on a stream, twin/ runs the same lanes on the CPU. Data is
// [rows, channels], channels innermost, in `type`; per-channel numbers and sums
// are float32. Every function returns null, or why it could not be launched.
#pragma once

#include "shared/layout.h"

namespace splitgrow::gpu {

enum class Type : int { kFloat32, kBFloat16 };

// y = act(scale * x + shift); without scale and shift: act(x)
struct AffineAct {
  Extent extent;
  Act act;
  const void* x;
  const float *scale, *shift;
  void* y;
};
// out = a * g * act'(scale * x + shift) + b * x + c. Without scale and shift
// z is x; without a, b, c out is g * act'(z).
struct ActGrad {
  Extent extent;
  Act act;
  const void *x, *g;
  const float *scale, *shift, *a, *b, *c;
  void* out;
};
// out = a * dz + b * x + c
struct Combine {
  Extent extent;
  const void *x, *dz;
  const float *a, *b, *c;
  void* out;
};
// gz = g * act'(z), unless null; p = g * act''(z) * square, times u if given
struct Curve {
  Extent extent;
  Act act;
  const void *z, *g, *u;
  const float* square;
  float beta;
  void *gz, *p;
};

// Sums over rows in two stages of fixed order: blocks write [2, blocks,
// channels] partials, then one thread a channel finishes them in double.
// `partials` holds 2 * kMostSums * channels floats.
struct MomentSums {
  Extent extent;
  const void* x;
  float* partials;
};
// mean and variance (of the count); or, with `scale`, all that batch norm in
// training needs, its running statistics moved.
struct MomentResult {
  float *mean, *variance;
  float *scale, *shift, *inverse;
  const float *gamma, *beta;
  float *runningMean, *runningVariance;  // null: stay
  float eps, momentum;
};
// Sums of dz = g * act'(scale * x + shift) and of dz * (x - mean); dz itself is
// written unless null.
struct GradSums {
  Extent extent;
  Act act;
  const void *x, *g;
  const float *scale, *shift, *mean;
  void* dz;
  float* partials;
};
// sum and dot; or, with `a`, batch norm's gradients and the coefficients of
// ActGrad that give dx.
struct GradResult {
  float *sum, *dot;
  float *gradGamma, *gradBeta;
  const float *scale, *mean, *inverse;
  float *a, *b, *c;
};

// One RMSprop step on the Rayleigh quotient of every row of v [neurons,
// dimension]; then v is made unit again. quotients: v . sv before the step.
struct RayleighStep {
  int32_t neurons, dimension;
  float* v;
  const float* sv;
  float *square, *velocity;
  double* quotients;
  float rate, alpha, momentum, epsilon;
};

// Pictures [index[i]] of uint8 [N, C, H, W], moved by (top, left), mirrored
// where flip is not 0, 0 outside, times scale plus shift: [n, H, W, C].
struct Pixels {
  int64_t count;
  int32_t channels, height, width;
  const uint8_t* images;
  const int64_t *index, *flips, *tops, *lefts;
  const float *scale, *shift;
  void* out;
};

const char* affineAct(const AffineAct& args, Type type, void* stream);
const char* actGrad(const ActGrad& args, Type type, void* stream);
const char* combine(const Combine& args, Type type, void* stream);
const char* curve(const Curve& args, Type type, void* stream);
const char* moments(const MomentSums& sums, const MomentResult& result,
                    Type type, void* stream);
const char* gradSums(const GradSums& sums, const GradResult& result, Type type,
                     void* stream);
const char* rayleigh(const RayleighStep& args, void* stream);
const char* pixels(const Pixels& args, Type type, void* stream);

}  // namespace splitgrow::gpu
