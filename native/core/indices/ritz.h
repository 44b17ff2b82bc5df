// Ritz pairs of one neuron: the best that its directions so far can give.
#pragma once

#include <ATen/ATen.h>

namespace splitgrow {

// Of a basis V, orthonormal rows [k, d], and the products W = V S: the
// eigenpairs of V S V' in float64.
struct Ritz {
  Ritz() = default;
  Ritz(const at::Tensor& basis, const at::Tensor& products);

  at::Tensor values, vectors;      // ascending [k]; columns [k, k]
  at::Tensor direction;            // of the smallest, unit [d]
  double index = 0, residual = 0;  // of it
  double largest = 0;              // |value|

  // Up to `count` orthonormal rows outside the basis: the residuals of the
  // lowest pairs, where these are several directions, then rows of `random`.
  at::Tensor next(const at::Tensor& basis, const at::Tensor& products,
                  const at::Tensor& random, int64_t count) const;
};

}  // namespace splitgrow
