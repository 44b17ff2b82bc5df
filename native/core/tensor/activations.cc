// Activations by ATen; the loops of kernels.inc compute the same on the CPU.
// The derivatives are those of LibTorch: the gradient at NaN passes.
#include "tensor/activations.h"

#include <cmath>

#include "tensor/error.h"

namespace splitgrow {

namespace {

using at::Tensor;

Tensor softplusSecond(const Tensor& z, double beta) {
  const Tensor s = at::sigmoid(z * beta);
  return beta * s * (1 - s);
}

Tensor density(const Tensor& z) {
  return at::exp(z * z * -0.5) * (1 / std::sqrt(2 * M_PI));
}
Tensor cumulative(const Tensor& z) {
  return 0.5 * (1 + at::erf(z * M_SQRT1_2));
}

const Activation kActivations[] = {
    {"identity", Act::kIdentity, [](const Tensor& z) { return z; },
     [](const Tensor& z) { return at::ones_like(z); },
     [](const Tensor& z, double) { return at::zeros_like(z); }, true},
    {"relu", Act::kRelu, [](const Tensor& z) { return at::relu(z); },
     [](const Tensor& z) { return (z <= 0).logical_not().to(z.scalar_type()); },
     softplusSecond},
    {"relu6", Act::kRelu6, [](const Tensor& z) { return at::clamp(z, 0, 6); },
     [](const Tensor& z) {
       return at::logical_or(z <= 0, z >= 6).logical_not().to(z.scalar_type());
     },
     [](const Tensor& z, double beta) {
       return softplusSecond(z, beta) - softplusSecond(z - 6, beta);
     }},
    {"silu", Act::kSilu, [](const Tensor& z) { return at::silu(z); },
     [](const Tensor& z) {
       const Tensor s = at::sigmoid(z);
       return s * (1 + z * (1 - s));
     },
     [](const Tensor& z, double) {
       const Tensor s = at::sigmoid(z);
       return s * (1 - s) * (2 + z * (1 - 2 * s));
     }},
    {"softplus", Act::kSoftplus,
     [](const Tensor& z) { return at::softplus(z); },
     [](const Tensor& z) { return at::sigmoid(z); },
     [](const Tensor& z, double) { return softplusSecond(z, 1); }},
    {"tanh", Act::kTanh, [](const Tensor& z) { return at::tanh(z); },
     [](const Tensor& z) {
       const Tensor t = at::tanh(z);
       return 1 - t * t;
     },
     [](const Tensor& z, double) {
       const Tensor t = at::tanh(z);
       return -2 * t * (1 - t * t);
     }},
    {"sigmoid", Act::kSigmoid, [](const Tensor& z) { return at::sigmoid(z); },
     [](const Tensor& z) {
       const Tensor s = at::sigmoid(z);
       return s * (1 - s);
     },
     [](const Tensor& z, double) {
       const Tensor s = at::sigmoid(z);
       return s * (1 - s) * (1 - 2 * s);
     }},
    {"gelu", Act::kGelu, [](const Tensor& z) { return at::gelu(z); },
     [](const Tensor& z) { return cumulative(z) + z * density(z); },
     [](const Tensor& z, double) { return density(z) * (2 - z * z); }},
};

}  // namespace

const Activation& findActivation(const std::string& name) {
  for (const auto& row : kActivations)
    if (name == row.name) return row;
  throw Error("E_ARGUMENT", "unknown activation \"" + name + "\"");
}

}  // namespace splitgrow
