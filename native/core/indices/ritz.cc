// The Rayleigh-Ritz method for one neuron, by loops that each neuron runs on
// one thread: matrices of a few rows are nothing for a library.
#include "indices/ritz.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "tensor/kernels/kernels.h"

namespace splitgrow {

namespace {

using at::Tensor;

// A row that keeps less of its length when the basis is taken out lies in it.
constexpr double kLeastNew = 1e-3;

double dot(const double* a, const double* b, int64_t d) {
  constexpr int64_t kWide = 8;
  double sums[kWide] = {};
  int64_t i = 0;
  for (; i + kWide <= d; i += kWide)
    for (int64_t j = 0; j < kWide; ++j) sums[j] += a[i + j] * b[i + j];
  for (; i < d; ++i) sums[0] += a[i] * b[i];
  double all = 0;
  for (const double sum : sums) all += sum;
  return all;
}
double lengthOf(const double* v, int64_t d) { return std::sqrt(dot(v, v, d)); }

// to = sum of rows [k, d], each times its weight.
void combine(const double* rows, int64_t k, int64_t d, const double* weights,
             double* to) {
  std::fill_n(to, d, 0.0);
  for (int64_t r = 0; r < k; ++r)
    for (int64_t i = 0; i < d; ++i) to[i] += weights[r] * rows[r * d + i];
}

// Rows in float64, one after the other.
Tensor doublesOf(const Tensor& rows) {
  return rows.to(at::kDouble).contiguous();
}

// Makes the part of `row` that is orthogonal to `rows` a unit vector; false if
// the row lies in them.
bool takeNewPart(const double* rows, int64_t k, int64_t d, double* row) {
  const double length = lengthOf(row, d);
  if (!(length > 0)) return false;
  for (int64_t i = 0; i < d; ++i) row[i] /= length;
  pickKernels().orthogonalise(rows, k, d, row);
  const double left = lengthOf(row, d);
  for (int64_t i = 0; i < d; ++i) row[i] /= left;
  return left > kLeastNew;
}

}  // namespace

Ritz::Ritz(const Tensor& basis, const Tensor& products, Tensor* gram)
    : rows(basis.size(0)) {
  const int64_t k = rows, d = basis.size(1);
  const Tensor vs = doublesOf(basis), ws = doublesOf(products);
  const double* const v = vs.const_data_ptr<double>();
  const double* const w = ws.const_data_ptr<double>();
  const int64_t known = gram->defined() ? gram->size(0) : 0;
  const Tensor all = at::empty({k, k}, at::kDouble);
  if (known > 0) all.narrow(0, 0, known).narrow(1, 0, known).copy_(*gram);
  double* const h = all.mutable_data_ptr<double>();
  for (int64_t i = known; i < k; ++i)
    for (int64_t j = 0; j <= i; ++j)
      h[i * k + j] = h[j * k + i] =
          (dot(v + i * d, w + j * d, d) + dot(v + j * d, w + i * d, d)) / 2;
  *gram = all;
  const auto [found, columns] = at::linalg_eigh(all, "U");
  const Tensor pairs = columns.t().contiguous();
  const double* const value = found.const_data_ptr<double>();
  const double* const pair = pairs.const_data_ptr<double>();
  values.assign(value, value + k);
  vectors.assign(pair, pair + k * k);
  index = values[0];
  largest = std::max(std::abs(values[0]), std::abs(values[k - 1]));
  direction.resize(d);
  combine(v, k, d, vectors.data(), direction.data());
  std::vector<double> rest(d);
  combine(w, k, d, vectors.data(), rest.data());
  for (int64_t i = 0; i < d; ++i) rest[i] -= index * direction[i];
  residual = lengthOf(rest.data(), d);
  const double length = lengthOf(direction.data(), d);
  for (double& x : direction) x /= length;
}

Tensor Ritz::next(const Tensor& basis, const Tensor& products,
                  const Tensor& random, int64_t count) const {
  const int64_t k = rows, d = basis.size(1);
  const Tensor ws = doublesOf(products);
  const Tensor all = at::empty({k + count, d}, at::kDouble);
  all.narrow(0, 0, k).copy_(basis);
  double* const v = all.mutable_data_ptr<double>();
  int64_t made = 0;
  const auto tryRow = [&](double* row) {
    if (takeNewPart(v, k + made, d, row)) ++made;
  };
  std::vector<double> part(d);
  for (int64_t p = 0; p < std::min(count, k) && made < count; ++p) {
    const double* const c = vectors.data() + p * k;
    double* const row = v + (k + made) * d;
    combine(ws.const_data_ptr<double>(), k, d, c, row);
    combine(v, k, d, c, part.data());
    for (int64_t i = 0; i < d; ++i) row[i] -= values[p] * part[i];
    tryRow(row);
  }
  for (int64_t r = 0; r < random.size(0) && made < count; ++r) {
    double* const row = v + (k + made) * d;
    std::copy_n(random.const_data_ptr<double>() + r * d, d, row);
    tryRow(row);
  }
  return all.narrow(0, k, made);
}

}  // namespace splitgrow
