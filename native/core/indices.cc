// Runs the exact and the Rayleigh method over a dataset, each for its chains.
#include "indices.h"

#include <chrono>
#include <cmath>

#include "group.h"
#include "indices_state.h"
#include "recorder.h"
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
  double weightOf(double images) const {
    return images / static_cast<double>(data.size());
  }
};

void requireFinite(const Tensor& values, const Chain& chain, const char* what) {
  require(at::isfinite(values).all().item<bool>(), "E_NOT_FINITE", what,
          " of layer ", chain.id, " is not finite; the network's weights or ",
          "the batch hold values that overflow");
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
  // LAPACK says of such only that it does not converge.
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

void requirePlace(const IndicesState& state, int64_t steps) {
  require(state.next <= steps, "E_RESUME", "indices: the checkpoint stands at ",
          "minibatch ", state.next, " of ", steps,
          "; go on with the images and the batch of before");
}

// The exact method's sweeps that are left.
Pause runExact(const Job& job, IndicesState* state) {
  const IndicesOptions& o = job.options;
  const auto passOver = [&] {
    return job.data.sweep(
        {.batch = o.batch, .tensors = job.network->options()});
  };
  const auto all = static_cast<double>(job.data.size());
  int64_t images = 0;
  Agreement agreement(job.control, o.pause);
  while (state->isSweeping()) {
    std::vector<Block>& blocks = state->sweeps[state->sweep];
    std::vector<bool> here(o.isExact.size(), false);
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
      if (piece.images > 0)
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
    // The next block's sum takes place while this one is solved.
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

// The rate of an epoch of the descent, before rounds halve it.
double rateOf(const IndicesOptions& o, int64_t epoch) {
  double rate = o.learningRate;
  for (int64_t at = o.decayFirst; at <= epoch; at += o.decayEvery)
    rate *= o.decayFactor;
  return rate;
}

// Where the descent's minibatches run: of all rounds together.
struct Descending {
  Recorder recorder;
  Agreement agreement;
  int64_t images = 0;
  int64_t steps = 1;  // of an epoch
};

// What is left of a round of epochs. A pause that is asked for at its last
// minibatch is told, but the round is complete.
Pause runRound(const Job& job, IndicesState* state, Descending* here) {
  const IndicesOptions& o = job.options;
  Rayleigh& descent = *state->descent;
  Pause pause = Pause::none;
  for (; state->epoch < state->roundEnd; ++state->epoch, state->next = 0) {
    const auto sweep = job.data.sweep(
        {.batch = o.batch,
         .shuffle = o.shuffle,
         .seed = o.seed + static_cast<uint64_t>(state->epoch) + 1,
         .tensors = job.network->options()});
    const bool isLast = state->epoch + 1 == state->roundEnd;
    if (state->next == 0) state->read = 0;
    if (isLast && state->next == 0) descent.beginAverage();
    const int64_t steps = here->steps = sweep->steps();
    requirePlace(*state, steps);
    const double rate = rateOf(o, state->epoch) * state->rateFactor;
    while (state->next < steps) {
      here->agreement.check();
      const int64_t i = state->next;
      Piece piece = sweep->piece(i, 0);
      const double read = sweep->readOf(i, &piece);
      state->read += read;
      if (read > 0) {
        // Which chains take part changes between rounds.
        here->recorder.run(piece.batch,
                           {piece.share, rate, isLast ? 1.0 : 0.0,
                            static_cast<double>(state->roundEnd)},
                           [&job, &descent, rate,
                            rest = withoutBatch(piece)](const Batch& batch) {
                             Piece whole = rest;
                             whole.batch = batch;
                             descent.step(*job.network, job.folded, whole,
                                          rate);
                           });
        if (isLast) descent.average(job.weightOf(read));
      }
      here->images += sweep->images(i);
      job.tell("rayleigh", state->epoch * steps + ++state->next,
               state->roundEnd * steps, here->images);
      // An epoch may take minutes, and all of them would be in vain.
      if (state->next == 1 || state->next == steps)
        for (size_t c = 0; c < descent.quotients.size(); ++c)
          if (descent.wanted[c])
            requireFinite(descent.quotients[c], job.network->program.chains[c],
                          "a quotient");
      pause = here->agreement.pause();
      const bool isDone = isLast && state->next == steps;
      if (pause != Pause::none && !isDone) return pause;
    }
    sweep->requireRead(state->read);
  }
  return pause;
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

// Rank 0's indices and directions for all: ranks of unlike processors solve the
// same sums to other roundings, and all are to pick the same neurons.
void shareResult(const Job& job, Indices* result) {
  if (groupWorld() == 1) return;
  std::vector<double> values;
  for (const ChainIndices& chain : result->chains)
    for (const auto* part : {&chain.indices, &chain.residuals})
      values.insert(values.end(), part->begin(), part->end());
  const Tensor flat = at::tensor(values, at::kDouble);
  broadcastOverGroup(flat);
  const double* from = flat.const_data_ptr<double>();
  for (ChainIndices& chain : result->chains)
    for (auto* part : {&chain.indices, &chain.residuals}) {
      std::copy(from, from + part->size(), part->begin());
      from += part->size();
    }
  Tensors directions;
  for (const auto& [id, tensor] : result->directions->tensors)
    if (tensor.defined()) directions.push_back(tensor.reshape({-1}));
  if (directions.empty()) return;
  const Tensor all = at::cat(directions).to(job.network->device);
  broadcastOverGroup(all);
  int64_t at = 0;
  for (auto& [id, tensor] : result->directions->tensors) {
    if (!tensor.defined()) continue;
    tensor = all.narrow(0, at, tensor.numel()).view(tensor.sizes());
    at += tensor.numel();
  }
}

// Less than the descent needs to forget its momentum would tell nothing.
constexpr int64_t kLeastSteps = 64;
// The share of their sizes by which a round that goes on lowers the indices.
constexpr double kLowers = 1e-3;

// Takes a round's averages, and plans the next round. Chains whose neurons are
// all within the tolerance are done. A round that brings no neuron within it
// and hardly lowers the indices halves the rate: the descent swings around its
// end by about the rate.
void endRound(const Job& job, int64_t steps, IndicesState* state) {
  const IndicesOptions& o = job.options;
  Rayleigh& descent = *state->descent;
  descent.finish(&state->result, state->result.directions.get(), *job.network,
                 job.weightOf(state->read));
  shareResult(job, &state->result);  // all ranks decide by the same numbers
  int64_t above = 0;
  double sum = 0, size = 0;
  for (size_t i = 0; i < descent.wanted.size(); ++i) {
    if (o.isExact[i]) continue;
    ChainIndices& chain = state->result.chains[i];
    for (const double index : chain.indices) {
      sum += index;
      size += std::abs(index);
    }
    if (!descent.wanted[i]) continue;
    chain.epochs = state->epoch;
    const int64_t here = countAbove(chain, o.tolerance);
    above += here;
    descent.wanted[i] = here > 0;
  }
  const bool isFirst = state->above < 0;
  const bool isLower = isFirst || sum < state->sum - kLowers * size;
  if (!isLower && above >= state->above) state->rateFactor /= 2;
  state->above = above;
  state->sum = sum;
  const int64_t further =
      std::max<int64_t>({1, o.epochs / 10, (kLeastSteps + steps - 1) / steps});
  if (above > 0)
    state->roundEnd = std::min(o.mostEpochs, state->roundEnd + further);
}

// What is left of the descent: the epochs asked for, and rounds of a tenth of
// them or of kLeastSteps as long as neurons are above the tolerance.
Pause runRayleigh(const Job& job, IndicesState* state) {
  const IndicesOptions& o = job.options;
  Descending here{
      Recorder(job.network->device, groupWorld() == 1 && !o.auxiliary),
      Agreement(job.control, o.pause)};
  while (state->epoch < state->roundEnd) {
    const Pause pause = runRound(job, state, &here);
    if (state->epoch < state->roundEnd) return pause;
    endRound(job, here.steps, state);
    if (pause != Pause::none && state->epoch < state->roundEnd) return pause;
  }
  return Pause::none;
}

}  // namespace

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
  if (pause == Pause::none && state->descent) pause = runRayleigh(job, state);
  state->seconds +=
      std::chrono::duration<double>(Clock::now() - job.start).count();
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
