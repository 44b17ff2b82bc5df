// The activation table: value and its two derivatives, for any device and
// dtype (ATen) and as the row of the vectorised loops.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "tensor/kernels/kernels.h"

namespace splitgrow {

struct Activation {
  const char* name;
  Act loop;
  at::Tensor (*value)(const at::Tensor& z);  // differentiable
  at::Tensor (*first)(const at::Tensor& z);  // act'(z)
  // act''(z); relu and relu6 take softplus_beta's (docs/reference.md)
  at::Tensor (*second)(const at::Tensor& z, double beta);
  bool isLinear = false;  // no curvature of its own
};

const Activation& findActivation(const std::string& name);

}  // namespace splitgrow
