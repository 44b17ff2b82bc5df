// Lanczos's iteration with full reorthogonalisation, and a Cholesky
// factorisation that proves its result (Parlett, The Symmetric Eigenvalue
// Problem, 13 and 3.3).
#include "indices/lanczos.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/kernels/kernels.h"

namespace splitgrow {

namespace {

using at::Tensor;

constexpr int64_t kMostSteps = 160;
// The Ritz pair is looked at once in so many steps.
constexpr int64_t kStride = 4;
// Of the largest |eigenvalue|: the residual that ends the iteration, and how
// far below the quotient an eigenvalue may lie.
constexpr double kResidual = 1e-9;
constexpr double kProved = 1e-8;

double lengthOf(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

// Numbers between -1 and 1 that are the same everywhere.
std::vector<double> startOf(int64_t d) {
  std::vector<double> v(d);
  uint64_t state = 1;
  for (double& x : v) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    x = static_cast<double>(state >> 11) * 0x1p-52 - 1;
  }
  const double length = lengthOf(v);
  for (double& x : v) x /= length;
  return v;
}

// The tridiagonal matrix of the steps so far.
struct Tridiagonal {
  std::vector<double> diagonal, beside;
  // At least its largest |eigenvalue|, at most three times that.
  double bound() const {
    double most = 0;
    for (size_t i = 0; i < diagonal.size(); ++i)
      most = std::max(
          most, std::abs(diagonal[i]) + (i > 0 ? std::abs(beside[i - 1]) : 0) +
                    (i + 1 < diagonal.size() ? std::abs(beside[i]) : 0));
    return most;
  }
};

// Sum of the first `count` rows, each times its weight.
std::vector<double> combine(const double* rows, int64_t d,
                            const std::vector<double>& weights, int64_t count) {
  std::vector<double> v(d, 0);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t i = 0; i < d; ++i) v[i] += weights[r] * rows[r * d + i];
  return v;
}

// A matrix scaled by its largest entry.
template <class T>
struct Scaled {
  explicit Scaled(const Tensor& of)
      : matrix(of), d(of.size(0)), numbers(of.const_data_ptr<T>()) {
    double largest = 0;
    for (int64_t i = 0; i < d; ++i)
      for (int64_t j = i; j < d; ++j)
        largest = std::max<double>(largest, std::abs(numbers[i * d + j]));
    if (largest > 1e-300) scale = 1 / largest;
  }
  void multiply(const double* x, double* y) const {
    pickSymmetric<T>().product(numbers, d, x, y);
    for (int64_t i = 0; i < d; ++i) y[i] *= scale;
  }
  // Whether no eigenvalue is below `bound`: then all pivots of the difference
  // are positive.
  bool isAbove(double bound) const {
    Tensor shifted = matrix.to(at::kDouble, false, /*copy=*/true).mul_(scale);
    shifted.diagonal().sub_(bound);
    // The transpose has LAPACK's order, and its lower triangle is our upper
    // one.
    const Tensor info = std::get<1>(at::linalg_cholesky_ex(shifted.t()));
    return info.item<int>() == 0;
  }

  const Tensor matrix;
  const int64_t d;
  const T* const numbers;
  double scale = 1;
};

// The eigenvector; empty where it is not certain.
template <class T>
std::vector<double> iterate(const Scaled<T>& s) {
  const Kernels& kernels = pickKernels();
  const int64_t d = s.d, most = std::min(d, kMostSteps);
  const Tensor basis = at::empty({most, d}, at::kDouble);
  const Tensor scratch = at::empty({kPairLanes * 5 * most}, at::kDouble);
  double* const rows = basis.mutable_data_ptr<double>();
  std::vector<double> w = startOf(d), part(most);
  std::copy(w.begin(), w.end(), rows);
  Tridiagonal t;
  for (int64_t step = 1;; ++step) {
    const double* const q = rows + (step - 1) * d;
    s.multiply(q, w.data());
    double along = 0;
    for (int64_t i = 0; i < d; ++i) along += w[i] * q[i];
    t.diagonal.push_back(along);
    kernels.orthogonalise(rows, step, d, w.data());
    const double next = lengthOf(w), bound = t.bound();
    const bool isLast = step == most || next <= 1e-14 * bound;
    if (step % kStride == 0 || isLast) {
      const double low = kernels.smallestTridiagonal(
          t.diagonal.data(), t.beside.data(), step,
          scratch.mutable_data_ptr<double>(), part.data());
      const bool isClose = next * std::abs(part[step - 1]) <= kResidual * bound;
      if (isClose && s.isAbove(low - kProved * bound))
        return combine(rows, d, part, step);
      if (isClose || isLast) return {};
    }
    t.beside.push_back(next);
    for (int64_t i = 0; i < d; ++i) rows[step * d + i] = w[i] /= next;
  }
}

}  // namespace

template <class T>
bool smallestByLanczos(const Tensor& matrix, T* value, T* vector, T* residual) {
  const Scaled<T> s(matrix);
  std::vector<double> v = iterate(s);
  if (v.empty()) return false;
  // Quotient and residual of the vector as it is handed over, in T.
  const double length = lengthOf(v);
  for (int64_t i = 0; i < s.d; ++i)
    v[i] = vector[i] = static_cast<T>(v[i] / length);
  std::vector<double> product(s.d);
  s.multiply(v.data(), product.data());
  double quotient = 0, square = 0;
  for (int64_t i = 0; i < s.d; ++i) {
    quotient += product[i] * v[i];
    square += v[i] * v[i];
  }
  quotient /= square;
  for (int64_t i = 0; i < s.d; ++i) product[i] -= quotient * v[i];
  *value = static_cast<T>(quotient / s.scale);
  *residual = static_cast<T>(lengthOf(product) / s.scale);
  return true;
}

template bool smallestByLanczos(const Tensor&, float*, float*, float*);
template bool smallestByLanczos(const Tensor&, double*, double*, double*);

}  // namespace splitgrow
