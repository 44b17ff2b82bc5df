// Runs the exact and the Rayleigh method over a dataset, each for its chains.
#include "indices.h"

#include <chrono>
#include <cmath>

#include "group.h"
#include "train.h"

namespace splitgrow {

namespace {

using at::Tensor;
using Clock = std::chrono::steady_clock;

struct Job {
  Network* network;
  const Dataset& data;
  const IndicesOptions& options;
  const Control& control;
  const Folded& folded;
  Clock::time_point start;

  void tell(const char* phase, int64_t done, int64_t total,
            int64_t images) const {
    control.report({phase, done, total, images,
                    std::chrono::duration<double>(Clock::now() - start).count(),
                    std::nan("")});
  }
  // Of a minibatch among all images.
  double weightOf(int64_t images) const {
    return static_cast<double>(images) / static_cast<double>(data.size());
  }
};

std::vector<double> toVector(const Tensor& t) {
  const Tensor host = t.to(at::kCPU, at::kDouble).contiguous();
  const double* p = host.const_data_ptr<double>();
  return {p, p + host.numel()};
}

void solve(const Job& job, const Block& block, Indices* result) {
  const Chain& chain = job.network->program.chains[block.chain];
  Tensor& directions = result->directions->tensors[block.chain].second;
  if (!directions.defined()) {
    // Without curvature every direction has index 0: the first axis.
    directions =
        at::zeros({chain.neurons, chain.dimension}, job.network->options());
    directions.select(1, 0).fill_(1);
  }
  if (!block.sums.defined()) return;
  sumOverGroup(block.sums);
  const Eigen eigen = smallestEigen(block);
  directions.narrow(0, block.from, block.count).copy_(eigen.vectors);
  const auto values = toVector(eigen.values);
  const auto residuals = toVector(eigen.residuals);
  ChainIndices& to = result->chains[block.chain];
  std::copy(values.begin(), values.end(), to.indices.begin() + block.from);
  std::copy(residuals.begin(), residuals.end(),
            to.residuals.begin() + block.from);
}

void runExact(const Job& job, const std::vector<bool>& wanted,
              Indices* result) {
  const IndicesOptions& o = job.options;
  auto sweeps = planBlocks(*job.network, wanted, o.memoryLimit);
  const auto passOver = [&] {
    return job.data.sweep(
        {.batch = o.batch, .tensors = job.network->options()});
  };
  const int64_t steps = passOver()->steps();
  const int64_t total = steps * static_cast<int64_t>(sweeps.size());
  int64_t done = 0, images = 0;
  for (auto& blocks : sweeps) {
    std::vector<bool> here(wanted.size(), false);
    for (const Block& block : blocks) here[block.chain] = true;
    const auto sweep = passOver();
    for (int64_t i = 0; i < steps; ++i) {
      job.control.check();
      const Piece piece = sweep->piece(i, 0);
      sweepChains(*job.network, job.folded, piece.batch, here, o,
                  piece.share * job.weightOf(sweep->images(i)),
                  [&](const ChainView& view) {
                    if (view.isFlat()) return view.g;
                    const Curvature c = view.curvatureOf(Tensor(), true);
                    for (Block& block : blocks)
                      if (block.chain == view.chain)
                        accumulate(&block, view, c.p);
                    return c.gz;
                  });
      images += sweep->images(i);
      job.tell("exact", ++done, total, images);
    }
    for (Block& block : blocks) {
      solve(job, block, result);
      block.sums = Tensor();
    }
  }
}

void runRayleigh(const Job& job, const std::vector<bool>& wanted,
                 Indices* result) {
  const IndicesOptions& o = job.options;
  Rayleigh descent(*job.network, wanted, o);
  double rate = o.learningRate;
  int64_t images = 0;
  for (int64_t epoch = 0; epoch < o.epochs; ++epoch) {
    if (epoch >= o.decayFirst && (epoch - o.decayFirst) % o.decayEvery == 0)
      rate *= o.decayFactor;
    const auto sweep =
        job.data.sweep({.batch = o.batch,
                        .shuffle = o.shuffle,
                        .seed = o.seed + static_cast<uint64_t>(epoch) + 1,
                        .tensors = job.network->options()});
    const bool isLast = epoch + 1 == o.epochs;
    if (isLast) descent.beginAverage();
    const int64_t steps = sweep->steps();
    for (int64_t i = 0; i < steps; ++i) {
      job.control.check();
      descent.step(*job.network, job.folded, sweep->piece(i, 0), rate);
      if (isLast) descent.average(job.weightOf(sweep->images(i)));
      images += sweep->images(i);
      job.tell("rayleigh", epoch * steps + i + 1, o.epochs * steps, images);
    }
  }
  descent.finish(result, result->directions.get(), *job.network);
}

// By node; empty: none.
std::vector<bool> trainedNodes(const Network& network,
                               const IndicesOptions& options) {
  if (options.trainedNorms.empty()) return {};
  require(!options.auxiliary, "E_ARGUMENT",
          "the auxiliary activation takes every batch norm in evaluation mode");
  std::vector<bool> trained(network.nodes.size(), false);
  for (const std::string& id : options.trainedNorms) {
    bool isFound = false;
    for (size_t i = 0; i < trained.size(); ++i) {
      const Instruction& one = *network.nodes[i].instruction;
      if (one.id != id || !one.op->isNorm) continue;
      trained[i] = isFound = true;
    }
    require(isFound, "E_ARGUMENT", "trainedNorms: \"", id,
            "\" is no batch norm of this network");
  }
  for (const Chain& chain : network.program.chains)
    require(chain.batchNorm < 0 || !trained[chain.batchNorm], "E_ARGUMENT",
            "trainedNorms: the batch norm of layer \"", chain.id,
            "\", whose indices are computed, must be in evaluation mode");
  return trained;
}

bool isAny(const std::vector<bool>& wanted) {
  for (const bool one : wanted)
    if (one) return true;
  return false;
}

}  // namespace

Tensor withSign(const Tensor& v) {
  const Tensor largest = v.abs().argmax(1, true);
  return v * at::where(v.gather(1, largest) < 0, -1.0, 1.0).to(v.scalar_type());
}

Indices computeIndices(Network* network, const Dataset& data,
                       const IndicesOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const auto& chains = network->program.chains;
  require(options.isExact.size() == chains.size(), "E_ARGUMENT", "expected ",
          chains.size(), " methods, found ", options.isExact.size());
  const Folded folded(*network, trainedNodes(*network, options));
  const Job job{network, data, options, control, folded, Clock::now()};
  Indices result;
  result.directions = std::make_shared<Directions>();
  for (const Chain& chain : chains) {
    result.chains.push_back({std::vector<double>(chain.neurons, 0),
                             std::vector<double>(chain.neurons, 0)});
    result.directions->tensors.emplace_back(chain.id, Tensor());
  }
  std::vector<bool> isRayleigh = options.isExact;
  isRayleigh.flip();
  if (isAny(options.isExact)) runExact(job, options.isExact, &result);
  if (isAny(isRayleigh)) runRayleigh(job, isRayleigh, &result);
  for (size_t i = 0; i < chains.size(); ++i)
    for (const double index : result.chains[i].indices)
      require(std::isfinite(index), "E_NOT_FINITE",
              "a splitting index of layer ", chains[i].id, " is ", index,
              "; the network's weights or the batch hold values that overflow");
  result.seconds =
      std::chrono::duration<double>(Clock::now() - job.start).count();
  return result;
}

}  // namespace splitgrow
