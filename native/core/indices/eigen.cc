// Smallest eigenpairs of splitting matrices: by loops of our own on a CPU, by
// the accelerator or LibTorch elsewhere.
#include <ATen/Parallel.h>

#include <algorithm>

#include "indices/indices.h"
#include "indices/lanczos.h"
#include "tensor/accelerator.h"
#include "tensor/kernels/kernels.h"

namespace splitgrow {

namespace {

using at::Tensor;

// On a GPU LibTorch's eigh solves all matrices up to this dimension at once,
// and larger ones one after the other.
constexpr int64_t kMostByDriver = 32;
// Bytes of the matrices that the accelerator solves at once.
constexpr int64_t kSolvedBytes = int64_t{256} << 20;
// Above this dimension Lanczos's iteration is faster on a CPU.
constexpr int64_t kMostReduced = 512;
// Bytes of the matrices that a thread has side by side for that.
constexpr int64_t kGroupBytes = int64_t{32} << 20;

// Matrices [from, from + count) as [count, d, d], symmetric from the upper
// triangle.
Tensor matricesOf(const Tensor& sums, int64_t from, int64_t count) {
  const Tensor upper = sums.narrow(2, from, count).permute({2, 0, 1}).triu();
  return upper + upper.triu(1).transpose(1, 2);
}

Eigen emptyFor(const Tensor& sums) {
  const int64_t d = sums.size(0), count = sums.size(2);
  return {at::empty({count}, sums.options()),
          at::empty({count, d}, sums.options()),
          at::empty({count}, sums.options())};
}

// Pairs of the matrices s [count, d, d], the first of which is matrix `from`.
void keep(const Tensor& s, int64_t from, const Tensor& values,
          const Tensor& vectors, Eigen* eigen) {
  const int64_t count = s.size(0);
  const Tensor v = eigen->vectors.narrow(0, from, count);
  const Tensor lambda = eigen->values.narrow(0, from, count);
  v.copy_(withSign(vectors));
  lambda.copy_(values);
  const Tensor columns = v.unsqueeze(2);
  eigen->residuals.narrow(0, from, count)
      .copy_((at::bmm(s, columns) - columns * lambda.view({-1, 1, 1}))
                 .norm(2, {1, 2}));
}

void solveWhole(const Tensor& s, int64_t from, Eigen* eigen) {
  const at::NoGradGuard noGrad;
  // In double, because the float32 solver may not converge on a matrix of low
  // rank.
  auto [values, vectors] = at::linalg_eigh(s.to(at::kDouble), "U");
  keep(s, from, values.select(1, 0), vectors.select(2, 0), eigen);
}

// Solves by the accelerator in chunks of limited size, and by the whole
// eigensystem what the accelerator does not take.
void solveAtOnce(const Accelerator& fast, const Tensor& s, Eigen* eigen) {
  const int64_t count = s.size(0), d = s.size(1);
  const int64_t most = std::max<int64_t>(
      1, kSolvedBytes / (d * d * static_cast<int64_t>(sizeof(double))));
  for (int64_t from = 0; from < count; from += most) {
    const int64_t here = std::min(most, count - from);
    const Tensor part = s.narrow(0, from, here);
    Tensor values, vectors;
    if (fast.smallestEigen(
            part.to(at::kDouble, false, /*copy=*/true).contiguous(), &values,
            &vectors))
      keep(part, from, values, vectors, eigen);
    else
      solveWhole(part, from, eigen);
  }
}

void solveOnDevice(const Tensor& sums, Eigen* eigen) {
  const Tensor s = matricesOf(sums, 0, sums.size(2));
  const Accelerator* const fast = acceleratorOn(s.device());
  if (fast != nullptr && s.size(1) > kMostByDriver)
    solveAtOnce(*fast, s, eigen);
  else
    solveWhole(s, 0, eigen);
}

// Where the pairs of matrices of type T go.
template <class T>
struct Places {
  explicit Places(const Eigen& eigen)
      : d(eigen.vectors.size(1)),
        values(eigen.values.mutable_data_ptr<T>()),
        vectors(eigen.vectors.mutable_data_ptr<T>()),
        residuals(eigen.residuals.mutable_data_ptr<T>()) {}
  const int64_t d;
  T *const values, *const vectors, *const residuals;
};

// kPairLanes matrices side by side.
template <class T>
void reduce(const Tensor& sums, int64_t from, int64_t count, Eigen* eigen) {
  const int64_t d = sums.size(0);
  const Places<T> to(*eigen);
  const Tensor scratch = at::empty({pairScratch(d)}, at::kDouble);
  pickSymmetric<T>().smallestPairs(
      sums.const_data_ptr<T>() + from, sums.size(2), d, count,
      scratch.mutable_data_ptr<double>(), to.values + from,
      to.vectors + from * d, to.residuals + from);
}

// One after the other. They are cut out together, because the same entries of
// neighbours lie side by side.
template <class T>
void iterate(const Tensor& sums, int64_t from, int64_t count, Eigen* eigen) {
  const at::NoGradGuard noGrad;
  const int64_t d = sums.size(0);
  const Places<T> to(*eigen);
  const Tensor part = at::empty({count, d, d}, sums.options());
  const T* of = sums.const_data_ptr<T>() + from;
  T* const cut = part.mutable_data_ptr<T>();
  for (int64_t i = 0; i < d; ++i)
    for (int64_t j = i; j < d; ++j)
      for (int64_t k = 0; k < count; ++k)
        cut[(k * d + i) * d + j] = of[(i * d + j) * sums.size(2) + k];
  for (int64_t i = 0, k = from; i < count; ++i, ++k)
    if (!smallestByLanczos<T>(part[i], to.values + k, to.vectors + k * d,
                              to.residuals + k))
      solveWhole(matricesOf(sums, k, 1), k, eigen);
}

// Groups of matrices, which depend on the shape alone, on all threads.
template <class T>
void solveOnCpu(const Tensor& sums, Eigen* eigen) {
  const int64_t d = sums.size(0), count = sums.size(2);
  const bool isLarge = d > kMostReduced;
  const int64_t bytes = d * d * static_cast<int64_t>(sizeof(T));
  const int64_t group =
      isLarge ? std::clamp<int64_t>(kGroupBytes / bytes, 1, kPairLanes)
              : kPairLanes;
  at::parallel_for(
      0, (count + group - 1) / group, 1, [&](int64_t begin, int64_t end) {
        for (int64_t from = begin * group; from < std::min(end * group, count);
             from += group)
          (isLarge ? iterate<T> : reduce<T>)(sums, from,
                                             std::min(group, count - from),
                                             eigen);
      });
  eigen->vectors = withSign(eigen->vectors);
}

}  // namespace

Eigen smallestEigen(const Block& block) {
  const Tensor sums = block.sums.contiguous();
  Eigen eigen = emptyFor(sums);
  // An accelerator of the CPU stands for a GPU, in tests.
  if (!sums.device().is_cpu() || acceleratorOn(sums.device()) != nullptr)
    solveOnDevice(sums, &eigen);
  else if (sums.scalar_type() == at::kDouble)
    solveOnCpu<double>(sums, &eigen);
  else
    solveOnCpu<float>(sums, &eigen);
  return eigen;
}

Eigen wholeEigensystem(const Block& block) {
  const Tensor s = matricesOf(block.sums, 0, block.count);
  Eigen eigen = emptyFor(block.sums);
  if (!s.device().is_cpu())
    solveWhole(s, 0, &eigen);
  else
    at::parallel_for(0, block.count, 1, [&](int64_t begin, int64_t end) {
      solveWhole(s.narrow(0, begin, end - begin), begin, &eigen);
    });
  return eigen;
}

}  // namespace splitgrow
