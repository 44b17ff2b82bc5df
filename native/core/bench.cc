// Runs one kind of step again and again on the first minibatch of a dataset.
#include "bench.h"

#include <ATen/CPUGeneratorImpl.h>

#include <chrono>

#include "boundary.h"
#include "memory.h"

namespace splitgrow {

namespace {

using at::Tensor;

constexpr int64_t kMost = int64_t{1} << 31;

struct Bench {
  Network* network;
  const Piece piece;
  const Folded folded;
  const std::vector<bool> all;
  IndicesOptions options;
};

using StepOf = std::function<void()>;

StepOf trainStep(Bench* b) {
  TrainOptions options;
  options.momentum = 0.9;
  options.weightDecay = 1e-4;
  return [b, options] {
    Run run;
    run.isTraining = true;
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
  return [b] {
    forwardEvaluation(*b->network, b->folded, b->piece.batch.images, nullptr);
  };
}

StepOf rayleighStep(Bench* b, bool auxiliary) {
  b->options.auxiliary = auxiliary;
  auto descent = std::make_shared<Rayleigh>(*b->network, b->all, b->options);
  return
      [b, descent] { descent->step(*b->network, b->folded, b->piece, 1e-3); };
}

// The sums of one sweep, from the one minibatch.
void accumulateAll(Bench* b, std::vector<Block>* blocks) {
  std::vector<bool> here(b->all.size(), false);
  for (const Block& block : *blocks) here[block.chain] = true;
  sweepChains(*b->network, b->folded, b->piece.batch, here, b->options, 1,
              [&](const ChainView& view) {
                if (view.isFlat()) return view.g;
                const Curvature c = view.curvatureOf(Tensor(), true);
                for (Block& block : *blocks)
                  if (block.chain == view.chain) accumulate(&block, view, c.p);
                return c.gz;
              });
}

// As many sweeps as the memory limit asks for, as an exact pass makes them.
StepOf exactStep(Bench* b) {
  return [b] {
    for (auto& blocks : planBlocks(*b->network, b->all, b->options.memoryLimit))
      accumulateAll(b, &blocks);
  };
}

// All matrices at once: they must fit.
StepOf eigenStep(Bench* b) {
  auto sweeps = planBlocks(*b->network, b->all, b->options.memoryLimit);
  require(sweeps.size() <= 1, "E_ARGUMENT",
          "the splitting matrices of this network do not fit into ",
          b->options.memoryLimit, " bytes; take a narrower one");
  auto blocks = std::make_shared<std::vector<Block>>();
  if (!sweeps.empty()) *blocks = std::move(sweeps[0]);
  accumulateAll(b, blocks.get());
  return [blocks] {
    for (const Block& block : *blocks)
      if (block.sums.defined()) smallestEigen(block);
  };
}

const struct {
  const char* name;
  StepOf (*make)(Bench*);
} kSteps[] = {
    {"train", trainStep},
    {"forward", forwardStep},
    {"rayleigh", [](Bench* b) { return rayleighStep(b, false); }},
    {"auxiliary", [](Bench* b) { return rayleighStep(b, true); }},
    {"exact", exactStep},
    {"eigen", eigenStep},
};

}  // namespace

BenchResult bench(Network* network, const Dataset& data,
                  const BenchOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const auto sweep = data.sweep(
      {.batch = options.batch, .tensors = network->options(), .shards = false});
  Bench b{network, sweep->piece(0, 0), Folded(*network),
          std::vector<bool>(network->program.chains.size(), true),
          IndicesOptions()};
  for (const auto& row : kSteps) {
    if (options.what != row.name) continue;
    const StepOf step = row.make(&b);
    BenchResult result;
    for (int64_t i = 0; i < options.warmup + options.repeats; ++i) {
      control.check();
      const PeakMemory peak(network->device);
      const auto start = std::chrono::steady_clock::now();
      step();
      synchronize(network->device);
      const std::chrono::duration<double, std::milli> time =
          std::chrono::steady_clock::now() - start;
      if (i >= options.warmup) result.milliseconds.push_back(time.count());
      result.peakBytes = peak.bytes();
    }
    return result;
  }
  throw Error("E_ARGUMENT",
              "nothing to bench is called \"" + options.what + "\"");
}

Napi::Value benchSteps(const Napi::CallbackInfo& info) {
  const auto network = fromHandle<Network>(info[0]);
  const auto data = fromHandle<Dataset>(info[1]);
  const Napi::Object o = readObject(info[2], "options");
  const BenchOptions options{
      readString(o, "what"), readInteger(o, "batch", 1, kMost),
      readInteger(o, "repeats", 1, kMost), readInteger(o, "warmup", 0, kMost)};
  return runTask(
      info, info.Env().Null(), info[3],
      [network, data, options](const Control& control) -> ToJs {
        const BenchResult b = bench(network.get(), *data, options, control);
        return [b](Napi::Env env) {
          auto result = Napi::Object::New(env);
          result.Set("milliseconds", toFloat64Array(env, b.milliseconds));
          result.Set("peakBytes", static_cast<double>(b.peakBytes));
          return result;
        };
      });
}

}  // namespace splitgrow
