// Exact splitting matrices in one sweep over the data, by matrix products:
// S_n = sum over positions of h_n * x x^T. Rows of the sums are built for
// several i at once: [i, n, j] += (h_n x_i)^T x_j for j >= the first i, so that
// about half the products of the full square are done.
#include <ATen/Parallel.h>

#include <algorithm>

#include "error.h"
#include "indices.h"

namespace splitgrow {

namespace {

using at::Tensor;

constexpr int64_t kRows = 512;       // positions of one product
constexpr int64_t kColumns = 256;    // products h_n * x_i of one product

// [positions, neurons] of h [N, n, H, W] or [N, n], a view where it can be.
Tensor positionsOf(const Tensor& h) {
  return h.dim() == 4 ? h.permute({0, 2, 3, 1}).reshape({-1, h.size(1)}) : h;
}

void accumulateByLoops(const Tensor& sums, const Tensor& x, const Tensor& h) {
  const int64_t positions = x.size(0), d = x.size(1), n = h.size(1);
  const int64_t wide = std::clamp<int64_t>(kColumns / n, 1, d);
  const int64_t chunks = (positions + kRows - 1) / kRows;
  const int64_t threads =
      std::min<int64_t>(at::get_num_threads(), chunks);
  Tensors own(threads, sums);
  for (int64_t t = 1; t < threads; ++t) own[t] = at::zeros_like(sums);
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard noGrad;
    for (int64_t t = begin; t < end; ++t) {
      const Tensor buffer = at::empty({kRows, wide * n});
      for (int64_t c = t; c < chunks; c += threads) {
        const int64_t at = c * kRows;
        const int64_t rows = std::min(kRows, positions - at);
        const Tensor block = x.narrow(0, at, rows);
        for (int64_t i = 0; i < d; i += wide) {
          const int64_t w = std::min(wide, d - i);
          pickKernels().outer(x.const_data_ptr<float>() + at * d + i, d,
                              h.const_data_ptr<float>() + at * h.stride(0),
                              h.stride(0), rows, w, n,
                              buffer.mutable_data_ptr<float>());
          const Tensor left = buffer.view({-1})
                                  .narrow(0, 0, rows * w * n)
                                  .view({rows, w * n});
          Tensor to = own[t]
                          .view({d * n, d})
                          .narrow(0, i * n, w * n)
                          .narrow(1, i, d - i);
          at::addmm_out(to, to, left.t(), block.narrow(1, i, d - i));
        }
      }
    }
  });
  for (int64_t t = 1; t < threads; ++t) sums.add_(own[t]);
}

void accumulateByTensors(const Tensor& sums, const Tensor& x,
                         const Tensor& h) {
  const int64_t d = x.size(1);
  for (int64_t i = 0; i < d; ++i)
    sums[i].narrow(1, i, d - i)
        .addmm_((h * x.narrow(1, i, 1)).t(), x.narrow(1, i, d - i));
}

}  // namespace

std::vector<std::vector<Block>> planBlocks(const Network& network,
                                           const std::vector<bool>& wanted,
                                           int64_t memoryLimit) {
  std::vector<std::vector<Block>> sweeps(1);
  const auto& chains = network.program.chains;
  // One copy a thread (accumulateByLoops).
  const int64_t copies = network.device.is_cpu() ? at::get_num_threads() : 1;
  int64_t left = memoryLimit;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!wanted[i]) continue;
    const int64_t d = chains[i].dimension;
    const int64_t each =
        copies * d * d * static_cast<int64_t>(c10::elementSize(network.dtype));
    for (int64_t from = 0; from < chains[i].neurons;) {
      int64_t count = std::min(left / each, chains[i].neurons - from);
      if (count == 0 && sweeps.back().empty()) count = 1;  // one must fit
      if (count == 0) {
        sweeps.emplace_back();
        left = memoryLimit;
        continue;
      }
      sweeps.back().push_back({static_cast<int>(i), from, count, Tensor()});
      from += count;
      left -= count * each;
    }
  }
  if (sweeps.back().empty()) sweeps.pop_back();
  return sweeps;
}

void accumulate(Block* block, const ChainView& view, const Tensor& h) {
  const Tensor x =
      view.layer->patches(*view.attributes, view.x, view.weight).contiguous();
  const Tensor rows = positionsOf(h).narrow(1, block->from, block->count);
  const int64_t d = x.size(1);
  if (!block->sums.defined())
    block->sums = at::zeros({d, block->count, d}, x.options());
  const bool hasLoops = x.device().is_cpu() && x.scalar_type() == at::kFloat &&
                        rows.stride(1) == 1;
  (hasLoops ? accumulateByLoops : accumulateByTensors)(block->sums, x, rows);
}

Eigen smallestEigen(const Block& block) {
  // [count, d, d], symmetric from the upper triangle.
  const Tensor upper = block.sums.permute({1, 0, 2}).triu();
  const Tensor s = upper + upper.triu(1).transpose(1, 2);
  Eigen eigen{at::empty({block.count}, s.options()),
              at::empty({block.count, s.size(1)}, s.options()), Tensor()};
  const auto solve = [&](int64_t begin, int64_t end) {
    const at::NoGradGuard noGrad;
    auto [values, vectors] =
        at::linalg_eigh(s.narrow(0, begin, end - begin), "U");
    eigen.values.narrow(0, begin, end - begin).copy_(values.select(1, 0));
    eigen.vectors.narrow(0, begin, end - begin).copy_(vectors.select(2, 0));
  };
  if (s.device().is_cpu())
    at::parallel_for(0, block.count, 1, solve);
  else
    solve(0, block.count);
  const Tensor v = eigen.vectors.unsqueeze(2);
  eigen.residuals = (at::bmm(s, v) - v * eigen.values.view({-1, 1, 1}))
                        .norm(2, {1, 2});
  return eigen;
}

}  // namespace splitgrow
