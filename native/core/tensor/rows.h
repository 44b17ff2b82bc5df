// Elementwise work on activations with one number for each channel. The
// vectorised loops do it for float32 and bfloat16 on the CPU with channels
// innermost, the accelerator (accelerator.h) on its device, ATen in all other
// cases. Arguments and sums for channels are [C] tensors of the data's dtype.
// For bfloat16 data they are float32, and so is all arithmetic: only results
// are rounded.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "tensor/activations.h"

namespace splitgrow {

// x [N, C, H, W] or [N, C] in the layout all passes use (channels_last).
at::Tensor inLayout(const at::Tensor& x);
// [C] as [1, C, 1, 1] or [1, C], to broadcast over x.
at::Tensor perChannel(const at::Tensor& c, const at::Tensor& x);

// act(scale * x + shift)
at::Tensor affineAct(const Activation& act, const at::Tensor& x,
                     const at::Tensor& scale, const at::Tensor& shift);
// act(x)
at::Tensor actOnly(const Activation& act, const at::Tensor& x);

struct Moments {
  at::Tensor mean, variance;  // [C]; variance divides by the count
};
Moments moments(const at::Tensor& x);

struct ActGrad {
  at::Tensor dz;        // g * act'(scale * x + shift)
  at::Tensor sum, dot;  // [C]: sum of dz, and of dz * (x - mean)
};
ActGrad actGrad(const Activation& act, const at::Tensor& x, const at::Tensor& g,
                const at::Tensor& scale, const at::Tensor& shift,
                const at::Tensor& mean);
// g * act'(z)
at::Tensor actOnlyGrad(const Activation& act, const at::Tensor& z,
                       const at::Tensor& g);

// a * dz + b * x + c
at::Tensor combine(const at::Tensor& x, const at::Tensor& dz,
                   const at::Tensor& a, const at::Tensor& b,
                   const at::Tensor& c);

struct Curvature {
  at::Tensor gz;  // g * act'(z); undefined unless asked for
  at::Tensor p;   // h * u, or h: h = g * act''(z) * square
};
Curvature curvature(const Activation& act, const at::Tensor& z,
                    const at::Tensor& g, const at::Tensor& u,
                    const at::Tensor& square, double beta, bool wantGz);

}  // namespace splitgrow
