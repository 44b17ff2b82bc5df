// Runs one kind of step again and again on the first minibatch of a dataset.
#include "indices/bench.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <chrono>

#include "engine/engine.h"
#include "ops/narrow.h"
#include "tensor/memory.h"
#include "tensor/threads.h"

namespace splitgrow {

namespace {

using at::Tensor;

using Sweeps = std::vector<std::vector<Block>>;

// The time of a step. It is stopped during work that is not to be timed.
class Stopwatch {
 public:
  explicit Stopwatch(const c10::Device& device) : device_(device) {}
  void start() {
    synchronize(device_);
    since_ = Clock::now();
  }
  void stop() {
    synchronize(device_);
    total_ += Clock::now() - since_;
  }
  double milliseconds() const { return total_.count(); }

 private:
  using Clock = std::chrono::steady_clock;
  const c10::Device device_;
  Clock::time_point since_;
  std::chrono::duration<double, std::milli> total_{0};
};

struct Bench {
  Network* network;
  const Control& control;
  const Piece piece;
  const bool isNarrow;  // bfloat16 is wanted of steps that have it
  const Folded folded;
  const std::vector<bool> chains;  // whose indices are computed
  IndicesOptions options;
  std::unique_ptr<engine::Engine> engine;  // of exact passes; null: by ATen
  Sweeps sweeps() const { return planBlocks(*network, chains, options); }
};

using StepOf = std::function<void(Stopwatch*)>;

StepOf trainStep(Bench* b) {
  TrainOptions options;
  options.momentum = 0.9;
  options.weightDecay = 1e-4;
  Run run;
  run.isTraining = true;
  run.isNarrow = b->isNarrow;
  if (engine::takes(*b->network, run)) {
    auto engine = std::make_shared<engine::Engine>(*b->network);
    return [b, options, engine, run](Stopwatch*) mutable {
      run.random = at::make_generator<at::CPUGeneratorImpl>(uint64_t{0});
      const OneThread alone(true);  // as in training
      engine->train(b->piece.batch.images, b->piece.batch.labels, run, 0, 1,
                    nullptr);
      sgdStep(b->network, options, 1e-3);
    };
  }
  return [b, options, run](Stopwatch*) mutable {
    if (run.isNarrow) narrow(b->network);
    run.random = at::make_generator<at::CPUGeneratorImpl>(uint64_t{0});
    Tape tape;
    const Tensor logits =
        forwardTraining(*b->network, b->piece.batch.images, run, &tape);
    const Loss loss = crossEntropy(logits, b->piece.batch.labels, 0, true);
    backwardTraining(*b->network, &tape, run, loss.gradLogits);
    sgdStep(b->network, options, 1e-3);
  };
}

StepOf forwardStep(Bench* b) {
  const std::shared_ptr<engine::Engine> engine = engine::engineFor(*b->network);
  if (engine && engine->isBest(b->piece.batch.images.size(0))) {
    return
        [b, engine](Stopwatch*) { engine->logits(b->piece.batch.images, {}); };
  }
  return [b](Stopwatch*) {
    forwardEvaluation(*b->network, b->folded, b->piece.batch.images, nullptr);
  };
}

StepOf rayleighStep(Bench* b, bool auxiliary) {
  b->options.auxiliary = auxiliary;
  auto descent = std::make_shared<Rayleigh>(*b->network, b->chains, b->options);
  return [b, descent](Stopwatch*) {
    descent->step(*b->network, b->folded, b->piece, 1e-3);
  };
}

// Adds the minibatch to the sums of one sweep. Making the sums and setting them
// to zero is not timed: it happens once in a sweep, not in every minibatch.
void accumulateAll(Bench* b, std::vector<Block>* blocks, Stopwatch* watch) {
  b->control.check();
  std::vector<bool> here(b->chains.size(), false);
  for (const Block& block : *blocks) here[block.chain] = true;
  if (b->engine) {
    for (Block& block : *blocks) {
      const Chain& chain = b->network->program.chains[block.chain];
      if (block.sums.defined() ||
          isFlat(*b->network, chain, b->options.identityCurvature))
        continue;
      watch->stop();
      block.sums = at::zeros({chain.dimension, chain.dimension, block.count},
                             b->network->options());
      watch->start();
    }
    if (accumulateAll(b->engine.get(), *b->network, b->piece.batch, b->options,
                      1, blocks))
      return;
  }
  const auto add = [&](Block* block, const ChainView& view, const Tensor& h) {
    const int64_t d = b->network->program.chains[block->chain].dimension;
    if (!block->sums.defined()) {
      watch->stop();
      block->sums = at::zeros({d, d, block->count}, b->network->options());
      watch->start();
    }
    accumulate(block, view, h);
  };
  sweepChains(*b->network, b->folded, b->piece.batch, here, b->options, 1,
              [&](const ChainView& view) {
                if (view.isFlat()) return view.g;
                const Curvature c = view.curvatureOf(Tensor(), true);
                for (Block& block : *blocks)
                  if (block.chain == view.chain) add(&block, view, c.p);
                return c.gz;
              });
}

// As many sweeps as the memory limit asks for, as an exact pass makes them.
StepOf exactStep(Bench* b) {
  return [b](Stopwatch* watch) {
    for (auto& blocks : b->sweeps()) {
      accumulateAll(b, &blocks, watch);
      blocks.clear();
    }
  };
}

// The eigensolver alone, once a sweep as an exact pass calls it.
StepOf eigenStep(Bench* b, Eigen (*solve)(const Block&)) {
  return [b, solve](Stopwatch* watch) {
    for (auto& blocks : b->sweeps()) {
      Stopwatch other(b->network->device);
      watch->stop();
      accumulateAll(b, &blocks, &other);
      watch->start();
      for (Block& block : blocks) {
        b->control.check();
        if (block.sums.defined()) solve(block);
        block.sums = Tensor();
      }
    }
  };
}

// A step takes as long with any numbers that keep the vectors finite.
IndicesOptions indicesOptions(const BenchOptions& bench) {
  IndicesOptions options;
  options.alpha = options.momentum = 0.9;
  options.rmsEpsilon = 1e-8;
  options.reluBeta = 3;
  options.memoryLimit = bench.memoryLimit;
  return options;
}

const struct StepKind {
  const char* name;
  StepOf (*make)(Bench*);
  bool hasPrecision = false;  // else it is the network's
} kSteps[] = {
    {"train", trainStep, true},
    {"forward", forwardStep},
    {"rayleigh", [](Bench* b) { return rayleighStep(b, false); }},
    {"auxiliary", [](Bench* b) { return rayleighStep(b, true); }},
    {"exact", exactStep},
    {"eigen", [](Bench* b) { return eigenStep(b, smallestEigen); }},
    {"eigensystem", [](Bench* b) { return eigenStep(b, wholeEigensystem); }},
};

const StepKind& kindOf(const std::string& what) {
  for (const StepKind& row : kSteps)
    if (what == row.name) return row;
  throw Error("E_ARGUMENT", "nothing to bench is called \"" + what + "\"");
}

}  // namespace

BenchResult bench(Network* network, const Dataset& data,
                  const BenchOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const StepKind& kind = kindOf(options.what);
  Run run;
  run.isNarrow = kind.hasPrecision &&
                 precisionOf(options.precision, *network) == at::kBFloat16;
  const auto sweep = data.sweep(
      {.batch = options.batch,
       .tensors = network->options().dtype(
           run.isNarrow && !engine::takes(*network, run) ? at::kBFloat16
                                                         : network->dtype),
       .shards = false});
  const size_t chains = network->program.chains.size();
  require(options.chains.empty() || options.chains.size() == chains,
          "E_ARGUMENT", "expected an entry for each of ", chains,
          " chains, found ", options.chains.size());
  Bench b{
      network,
      control,
      sweep->piece(0, 0),
      run.isNarrow,
      Folded(*network),
      options.chains.empty() ? std::vector<bool>(chains, true) : options.chains,
      indicesOptions(options),
      engine::engineFor(*network)};
  const PeakMemory all(network->device);
  const StepOf step = kind.make(&b);
  BenchResult result;
  result.stateBytes = all.held();
  result.sweeps = static_cast<int64_t>(b.sweeps().size());
  if (engine::takes(*network)) {
    result.engine = engine::setName();
    result.byLibTorch = engine::foreignOps(*network);
  }
  for (int64_t i = 0; i < options.warmup + options.repeats; ++i) {
    control.check();
    const PeakMemory peak(network->device);
    Stopwatch watch(network->device);
    watch.start();
    step(&watch);
    watch.stop();
    if (i >= options.warmup)
      result.milliseconds.push_back(watch.milliseconds());
    // The engine takes its memory in the first step and keeps it.
    result.peakBytes = std::max(result.peakBytes, peak.bytes());
  }
  return result;
}

}  // namespace splitgrow
