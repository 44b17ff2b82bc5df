// Exact splitting matrices in one sweep over the data:
// S_n = sum over positions of h_n * x x^T, all neurons of a layer at once, the
// upper triangle alone.
#include <ATen/Parallel.h>

#include <algorithm>

#include "indices/indices.h"
#include "ranks/group.h"
#include "tensor/error.h"
#include "tensor/kernels/kernels.h"

namespace splitgrow {

namespace {

using at::Tensor;

constexpr int64_t kRows = 1024;  // positions that a thread takes at a time
// From this dimension on a row of x takes too much of the scratch memory of the
// loops.
constexpr int64_t kMostDimension = 960;
// [positions, neurons] of h [N, n, H, W] or [N, n], a view where it can be.
Tensor positionsOf(const Tensor& h) {
  return h.dim() == 4 ? h.permute({0, 2, 3, 1}).reshape({-1, h.size(1)}) : h;
}

// Whether there are enough neurons for every thread. If not, the threads share
// the positions, and each has its own sums.
bool splitsNeurons(int64_t neurons) {
  return neurons > kMatrixLanes * (at::get_num_threads() - 1);
}

// Neurons [from, from + count) over rows [at, at + rows) of x and h.
struct Part {
  int64_t from, count, at, rows;
};
void addPart(const Part& part, const Tensor& x, const Tensor& h,
             const Tensor& sums, std::vector<float>* scratch) {
  const int64_t d = x.size(1), stride = h.stride(0);
  pickKernels().matrices(
      x.const_data_ptr<float>() + part.at * d, d,
      h.const_data_ptr<float>() + part.at * stride + part.from, stride,
      part.count, part.rows, scratch->data(),
      sums.mutable_data_ptr<float>() + part.from, h.size(1));
}

void accumulateByLoops(const Tensor& sums, const Tensor& x, const Tensor& h) {
  const int64_t positions = x.size(0), n = h.size(1);
  if (splitsNeurons(n)) {
    const int64_t blocks = (n + kMatrixLanes - 1) / kMatrixLanes;
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(kMatrixScratch);
      const int64_t from = begin * kMatrixLanes;
      const int64_t count = std::min(end * kMatrixLanes, n) - from;
      addPart({from, count, 0, positions}, x, h, sums, &scratch);
    });
    return;
  }
  const int64_t chunks = (positions + kRows - 1) / kRows;
  const int64_t threads = std::min<int64_t>(at::get_num_threads(), chunks);
  Tensors own(threads, sums);
  for (int64_t t = 1; t < threads; ++t) own[t] = at::zeros_like(sums);
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(kMatrixScratch);
    for (int64_t t = begin; t < end; ++t)
      for (int64_t c = t; c < chunks; c += threads) {
        const int64_t at = c * kRows;
        addPart({0, n, at, std::min(kRows, positions - at)}, x, h, own[t],
                &scratch);
      }
  });
  for (int64_t t = 1; t < threads; ++t) sums.add_(own[t]);
}

void accumulateByTensors(const Tensor& sums, const Tensor& x, const Tensor& h) {
  const int64_t d = x.size(1);
  for (int64_t i = 0; i < d; ++i) {
    const Tensor row = at::mm(x.narrow(1, i, d - i).t(), h * x.narrow(1, i, 1));
    sums[i].narrow(0, i, d - i).add_(row);
  }
}

}  // namespace

std::vector<std::vector<Block>> planBlocks(const Network& network,
                                           const std::vector<bool>& wanted,
                                           const IndicesOptions& options) {
  std::vector<std::vector<Block>> sweeps(1);
  const auto& chains = network.program.chains;
  int64_t left = options.memoryLimit;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!wanted[i]) continue;
    if (isFlat(network, chains[i], options.identityCurvature)) {
      sweeps.back().push_back(
          {static_cast<int>(i), 0, chains[i].neurons, Tensor()});
      continue;  // its matrices are 0, and none is made
    }
    const int64_t d = chains[i].dimension;
    const bool hasCopies =
        network.device.is_cpu() && !splitsNeurons(chains[i].neurons);
    const int64_t copies = hasCopies ? at::get_num_threads() : 1;
    const int64_t each =
        copies * d * d * static_cast<int64_t>(c10::elementSize(network.dtype));
    for (int64_t from = 0; from < chains[i].neurons;) {
      int64_t count =
          std::min(std::max<int64_t>(0, left) / each, chains[i].neurons - from);
      if (count == 0 && sweeps.back().empty()) count = 1;  // one must fit
      if (count == 0) {
        sweeps.emplace_back();
        left = options.memoryLimit;
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

void requireSums(const Sweep& sweep, const std::vector<Block>& blocks) {
  if (groupWorld() == 1 || !sweep.mayLeaveOut()) return;
  double here = 0;
  for (const Block& block : blocks) here += block.sums.defined() ? 1 : 0;
  const Tensor all = at::full({1}, here, at::kDouble);
  sumOverGroup(all);
  require(all.item<double>() == here * groupWorld(), "E_DATA",
          "a rank could read none of its images; remove the files that ",
          "`splitgrow data index` lists");
}

void accumulate(Block* block, const ChainView& view, const Tensor& h) {
  const Tensor x =
      view.layer->patches(*view.attributes, view.x, view.weight).contiguous();
  const Tensor rows = positionsOf(h).narrow(1, block->from, block->count);
  const int64_t d = x.size(1);
  if (!block->sums.defined())
    block->sums = at::zeros({d, d, block->count}, x.options());
  const bool hasLoops = x.device().is_cpu() && x.scalar_type() == at::kFloat &&
                        rows.stride(1) == 1 && d <= kMostDimension;
  (hasLoops ? accumulateByLoops : accumulateByTensors)(block->sums, x, rows);
}

bool accumulateAll(engine::Engine* engine, const Network& network,
                   const Batch& batch, const IndicesOptions& options,
                   double share, std::vector<Block>* blocks) {
  if (engine == nullptr) return false;
  std::vector<engine::Engine::Matrices> wanted;
  for (Block& block : *blocks) {
    const Chain& chain = network.program.chains[block.chain];
    if (isFlat(network, chain, options.identityCurvature)) continue;
    if (!block.sums.defined())
      block.sums = at::zeros({chain.dimension, chain.dimension, block.count},
                             network.options());
    wanted.push_back({block.chain, block.from, block.count, block.sums});
  }
  return engine->addMatrices(batch.images, batch.labels, share, wanted,
                             options.reluBeta, options.identityCurvature);
}

}  // namespace splitgrow
