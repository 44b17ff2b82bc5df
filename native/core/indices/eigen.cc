// Smallest eigenpairs of splitting matrices: by loops of our own on a CPU, by
// the accelerator or LibTorch elsewhere.
#include <ATen/Parallel.h>

#include <algorithm>

#include "indices/indices.h"
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

// Of matrices s [count, d, d], by the whole eigensystem.
void solveWhole(const Tensor& s, int64_t from, Eigen* eigen) {
  const int64_t count = s.size(0);
  // In double, because the float32 solver may not converge on a matrix of low
  // rank.
  auto [values, vectors] = at::linalg_eigh(s.to(at::kDouble), "U");
  eigen->values.narrow(0, from, count).copy_(values.select(1, 0));
  eigen->vectors.narrow(0, from, count).copy_(withSign(vectors.select(2, 0)));
}

// Solves by the accelerator in chunks of limited size, and by the whole
// eigensystem what the accelerator does not take.
void solveAtOnce(const Accelerator& fast, const Tensor& s, Eigen* eigen) {
  const int64_t count = s.size(0), d = s.size(1);
  const int64_t most = std::max<int64_t>(
      1, kSolvedBytes / (d * d * static_cast<int64_t>(sizeof(double))));
  for (int64_t from = 0; from < count; from += most) {
    const int64_t here = std::min(most, count - from);
    const Tensor part = s.narrow(0, from, here)
                            .to(at::kDouble, false, /*copy=*/true)
                            .contiguous();
    Tensor values, vectors;
    if (!fast.smallestEigen(part, &values, &vectors)) {
      solveWhole(s.narrow(0, from, here), from, eigen);
      continue;
    }
    eigen->values.narrow(0, from, here).copy_(values);
    eigen->vectors.narrow(0, from, here).copy_(withSign(vectors));
  }
}

Tensor residualsOf(const Tensor& s, const Eigen& eigen) {
  const Tensor v = eigen.vectors.unsqueeze(2);
  return (at::bmm(s, v) - v * eigen.values.view({-1, 1, 1})).norm(2, {1, 2});
}

void solveOnDevice(const Tensor& sums, Eigen* eigen) {
  const Tensor s = matricesOf(sums, 0, sums.size(2));
  const Accelerator* const fast = acceleratorOn(s.device());
  if (fast != nullptr && s.size(1) > kMostByDriver)
    solveAtOnce(*fast, s, eigen);
  else
    solveWhole(s, 0, eigen);
  eigen->residuals = residualsOf(s, *eigen);
}

// kPairLanes matrices at a time on every thread. Which ones they are does not
// depend on the number of threads.
template <class T>
void solveByLoops(const SmallestPairs<T>& loops, const Tensor& sums,
                  Eigen* eigen) {
  const int64_t d = sums.size(0), count = sums.size(2);
  const T* from = sums.const_data_ptr<T>();
  T* values = eigen->values.mutable_data_ptr<T>();
  T* vectors = eigen->vectors.mutable_data_ptr<T>();
  T* residuals = eigen->residuals.mutable_data_ptr<T>();
  const int64_t groups = (count + kPairLanes - 1) / kPairLanes;
  at::parallel_for(0, groups, 1, [&](int64_t begin, int64_t end) {
    const Tensor scratch = at::empty({pairScratch(d)}, at::kDouble);
    for (int64_t k = begin * kPairLanes; k < std::min(end * kPairLanes, count);
         k += kPairLanes)
      loops(from + k, count, d, std::min(kPairLanes, count - k),
            scratch.mutable_data_ptr<double>(), values + k, vectors + k * d,
            residuals + k);
  });
  eigen->vectors = withSign(eigen->vectors);
}

}  // namespace

Eigen smallestEigen(const Block& block) {
  const Tensor sums = block.sums.contiguous();
  Eigen eigen = emptyFor(sums);
  const Kernels& kernels = pickKernels();
  if (!sums.device().is_cpu())
    solveOnDevice(sums, &eigen);
  else if (sums.scalar_type() == at::kDouble)
    solveByLoops<double>(kernels.smallestPairsDouble, sums, &eigen);
  else
    solveByLoops<float>(kernels.smallestPairs, sums, &eigen);
  return eigen;
}

Eigen wholeEigensystem(const Block& block) {
  const Tensor s = matricesOf(block.sums, 0, block.count);
  Eigen eigen = emptyFor(block.sums);
  at::parallel_for(0, s.device().is_cpu() ? block.count : 1, 1,
                   [&](int64_t begin, int64_t end) {
                     const at::NoGradGuard noGrad;
                     if (!s.device().is_cpu()) end = block.count;
                     solveWhole(s.narrow(0, begin, end - begin), begin, &eigen);
                   });
  eigen.residuals = residualsOf(s, eigen);
  return eigen;
}

}  // namespace splitgrow
