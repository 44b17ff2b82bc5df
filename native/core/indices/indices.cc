// Runs every method of splitting indices over a dataset, each for its chains.
#include "indices/indices.h"

#include "indices/indices_job.h"
#include "ranks/group.h"
#include "train/recorder.h"
#include "train/train.h"

namespace splitgrow {

namespace {

using at::Tensor;

void solve(const Job& job, const Block& block, Indices* result) {
  const Chain& chain = job.network->program.chains[block.chain];
  Tensor& directions = result->directions->tensors[block.chain].second;
  if (!directions.defined()) directions = firstAxis(*job.network, chain);
  if (!block.sums.defined()) return;
  // LAPACK would only say that it does not converge.
  requireFinite(block.sums, chain, "a splitting matrix");
  const Eigen eigen = smallestEigen(block);
  directions.narrow(0, block.from, block.count).copy_(eigen.vectors);
  const auto values = toVector(eigen.values);
  const auto residuals = toVector(eigen.residuals);
  ChainIndices& to = result->chains[block.chain];
  std::copy(values.begin(), values.end(), to.indices.begin() + block.from);
  std::copy(residuals.begin(), residuals.end(),
            to.residuals.begin() + block.from);
}

// Runs the sweeps of the exact method that are left.
Pause runExact(const Job& job, IndicesState* state) {
  const IndicesOptions& o = job.options;
  const auto passOver = [&] {
    return job.data.sweep(
        {.batch = o.batch, .tensors = job.network->options()});
  };
  const auto all = static_cast<double>(job.data.size());
  int64_t images = 0;
  Agreement agreement(job.control, o.pause);
  std::unique_ptr<engine::Engine> engine;
  if (state->isSweeping() && job.folded.trained.empty() &&
      engine::takes(*job.network))
    engine = std::make_unique<engine::Engine>(*job.network);
  while (state->isSweeping()) {
    std::vector<Block>& blocks = state->sweeps[state->sweep];
    std::vector<bool> here(o.methods.size(), false);
    for (const Block& block : blocks) here[block.chain] = true;
    const auto sweep = passOver();
    const int64_t steps = sweep->steps();
    requirePlace(*state, steps);
    while (state->next < steps) {
      agreement.check();
      const int64_t i = state->next;
      Piece piece = sweep->piece(i, 0);
      const double read = sweep->readOf(i, &piece);
      state->read += read;
      if (piece.images > 0 &&
          !accumulateAll(engine.get(), *job.network, piece.batch, o,
                         piece.share * job.weightOf(read), &blocks))
        sweepChains(*job.network, job.folded, piece.batch, here, o,
                    piece.share * job.weightOf(read),
                    [&](const ChainView& view) {
                      if (view.isFlat()) return view.g;
                      const Curvature c = view.curvatureOf(Tensor(), true);
                      for (Block& block : blocks)
                        if (block.chain == view.chain)
                          accumulate(&block, view, c.p);
                      return c.gz;
                    });
      images += sweep->images(i);
      const auto sweeps = static_cast<int64_t>(state->sweeps.size());
      job.tell("exact", state->sweep * steps + ++state->next, steps * sweeps,
               images);
      const Pause pause = agreement.pause();
      if (pause != Pause::none) return pause;
    }
    sweep->requireRead(state->read);
    requireSums(*sweep, blocks);
    // The next block is summed over the ranks while this one is solved.
    std::vector<Wait> summed;
    summed.reserve(blocks.size());
    for (const Block& block : blocks)
      summed.push_back(block.sums.defined() ? beginSum(block.sums) : [] {});
    for (size_t i = 0; i < blocks.size(); ++i) {
      Block& block = blocks[i];
      summed[i]();
      // Of the images that could be read.
      if (block.sums.defined() && state->read != all)
        block.sums.mul_(all / state->read);
      solve(job, block, &state->result);
      block.sums = Tensor();
    }
    ++state->sweep;
    state->next = 0;
    state->read = 0;
  }
  return Pause::none;
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

}  // namespace

std::vector<bool> IndicesOptions::chainsOf(Method method) const {
  std::vector<bool> chains(methods.size());
  for (size_t i = 0; i < methods.size(); ++i) chains[i] = methods[i] == method;
  return chains;
}

Tensor firstAxis(const Network& network, const Chain& chain) {
  const Tensor axis =
      at::zeros({chain.neurons, chain.dimension}, network.options());
  axis.select(1, 0).fill_(1);
  return axis;
}

void requireFinite(const Tensor& values, const Chain& chain, const char* what) {
  require(at::isfinite(values).all().item<bool>(), "E_NOT_FINITE", what,
          " of layer ", chain.id, " is not finite; the network's weights or ",
          "the batch hold values that overflow");
}

void requirePlace(const IndicesState& state, int64_t steps) {
  require(state.next <= steps, "E_RESUME", "indices: the checkpoint stands at ",
          "minibatch ", state.next, " of ", steps,
          "; go on with the images and the batch of before");
}

std::vector<double> toVector(const Tensor& t) {
  const Tensor host = t.to(at::kCPU, at::kDouble).contiguous();
  const double* p = host.const_data_ptr<double>();
  return {p, p + host.numel()};
}

Tensor withSign(const Tensor& v) {
  const Tensor largest = v.abs().argmax(1, true);
  return v * at::where(v.gather(1, largest) < 0, -1.0, 1.0).to(v.scalar_type());
}

Pause computeIndices(Network* network, const Dataset& data,
                     const IndicesOptions& options, const Control& control,
                     IndicesState* state) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  const std::lock_guard<std::mutex> own(state->busy);
  checkFits(*network, data);
  state->checkFits(*network, options);
  require(!state->isDone, "E_ARGUMENT",
          "the indices of this state are computed already; begin a new one");
  const Folded folded(*network, trainedNodes(*network, options));
  const Job job{network, data, options, control, folded, Clock::now()};
  Pause pause = runExact(job, state);
  if (pause == Pause::none && state->lobpcg) pause = runLobpcg(job, state);
  if (pause == Pause::none && state->descent) pause = runRayleigh(job, state);
  state->seconds += secondsSince(job.start);
  state->result.seconds = state->seconds;
  if (pause != Pause::none) return pause;
  if (!state->descent) shareResult(job, &state->result);
  const auto& chains = network->program.chains;
  for (size_t i = 0; i < chains.size(); ++i)
    for (const double index : state->result.chains[i].indices)
      require(std::isfinite(index), "E_NOT_FINITE",
              "a splitting index of layer ", chains[i].id, " is ", index,
              "; the network's weights or the batch hold values that overflow");
  state->isDone = true;
  return Pause::none;
}

}  // namespace splitgrow
