// Ritz pairs of one neuron: the best that its directions so far can give.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace splitgrow {

// Of a basis V, orthonormal rows [k, d], and the products W = V S: the
// eigenpairs of V S V' in float64. The bits do not depend on the number of
// threads.
struct Ritz {
  Ritz() = default;
  // `gram` holds V S V', [k, k], of the rows of the pass before, or nothing. It
  // is made whole.
  Ritz(const at::Tensor& basis, const at::Tensor& products, at::Tensor* gram);

  int64_t rows = 0;
  std::vector<double> values, vectors;  // ascending [k]; [pair][k]
  std::vector<double> direction;        // of the smallest, unit [d]
  double index = 0, residual = 0;       // of it
  double largest = 0;                   // |value|

  // Up to `count` orthonormal rows outside the basis, float64 [rows, d]: the
  // residuals of the lowest pairs, where these are several directions, then
  // rows of `random`.
  at::Tensor next(const at::Tensor& basis, const at::Tensor& products,
                  const at::Tensor& random, int64_t count) const;
};

}  // namespace splitgrow
