// The Rayleigh-Ritz method for one neuron.
#include "indices/ritz.h"

#include <algorithm>
#include <tuple>

namespace splitgrow {

namespace {

using at::Tensor;

// A row that keeps less of its length when the basis is taken out lies in it.
constexpr double kLeastNew = 1e-3;

// The unit part of `row` that is orthogonal to `rows`; undefined if the row
// lies in them. Twice, because once leaves roundings of what is taken out.
Tensor newPart(Tensor row, const Tensor& rows) {
  double left = 1;
  for (int turn = 0; turn < 3; ++turn) {
    if (turn > 0) row = row - at::mv(rows.t(), at::mv(rows, row));
    const double length = row.norm().item<double>();
    if (!(length > 0)) return {};
    if (turn > 0) left *= length;
    row = row / length;
  }
  return left > kLeastNew ? row : Tensor();
}

}  // namespace

Ritz::Ritz(const Tensor& basis, const Tensor& products) {
  const Tensor v = basis.to(at::kDouble), w = products.to(at::kDouble);
  const Tensor h = at::mm(v, w.t());
  std::tie(values, vectors) = at::linalg_eigh((h + h.t()) / 2, "U");
  const Tensor c = vectors.select(1, 0);
  const Tensor y = at::mv(v.t(), c);
  index = values[0].item<double>();
  largest = values.abs().max().item<double>();
  residual = (at::mv(w.t(), c) - index * y).norm().item<double>();
  direction = y / y.norm();
}

Tensor Ritz::next(const Tensor& basis, const Tensor& products,
                  const Tensor& random, int64_t count) const {
  const Tensor v = basis.to(at::kDouble), w = products.to(at::kDouble);
  const int64_t k = v.size(0), pairs = std::min(count, k);
  const Tensor c = vectors.narrow(1, 0, pairs).t();
  const Tensor residuals =
      at::mm(c, w) - values.narrow(0, 0, pairs).unsqueeze(1) * at::mm(c, v);
  Tensor rows = v;
  for (const Tensor& from : {residuals, random})
    for (int64_t i = 0; i < from.size(0) && rows.size(0) - k < count; ++i)
      if (const Tensor row = newPart(from[i], rows); row.defined())
        rows = at::cat({rows, row.unsqueeze(0)});
  return rows.narrow(0, k, rows.size(0) - k);
}

}  // namespace splitgrow
