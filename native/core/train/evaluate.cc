// Evaluation over a dataset, and logits, as single calls.
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <optional>

#include "engine/engine.h"
#include "tensor/threads.h"
#include "train/pause.h"
#include "train/sums.h"

namespace splitgrow {

using at::Tensor;

namespace {

// What ATen reads in evaluation mode; nothing where the engine does the passes.
std::optional<Folded> foldedFor(const Network& network,
                                const engine::Engine* engine) {
  return engine == nullptr ? std::make_optional<Folded>(network) : std::nullopt;
}

}  // namespace

Totals evaluate(const Network& network, const Dataset& data,
                const EvaluateOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  checkFits(network, data);
  const auto start = Clock::now();
  // Every rank has the running statistics. The statistics of a minibatch need
  // all of it, so every rank works on the whole one.
  const bool shards = !options.usesBatchStatistics;
  const auto sweep = data.sweep({.batch = options.batch,
                                 .remainder = options.remainder,
                                 .tensors = network.options(),
                                 .shards = shards});
  Run run;
  run.isTraining = true;
  run.statisticsMomentum = 0;
  Sums sums(network.device);
  int64_t images = 0;
  const std::unique_ptr<engine::Engine> engine = engine::engineFor(network);
  const std::optional<Folded> folded = foldedFor(network, engine.get());
  const OneThread alone(engine != nullptr);
  Agreement agreement(control);
  for (int64_t i = 0; i < sweep->steps(); ++i) {
    agreement.check();
    const Piece piece = sweep->piece(i, 0);
    const Batch& batch = piece.batch;
    if (piece.images > 0 && engine) {
      sums.add(engine->evaluate(batch.images, batch.labels,
                                options.usesBatchStatistics),
               piece.weight);
    } else if (piece.images > 0) {
      Tape tape;
      const Tensor logits =
          options.usesBatchStatistics
              ? forwardTraining(network, batch.images, run, &tape)
              : forwardEvaluation(network, *folded, batch.images, nullptr);
      sums.add(crossEntropy(logits, batch.labels, 0, false).sum, logits,
               batch.labels, true, piece.weight);
    }
    images += sweep->images(i);
    control.report({"evaluate", i + 1, sweep->steps(), images,
                    secondsSince(start), std::nan(""), sweep->stats()});
  }
  if (shards) sumOverGroup(sums.values);
  Totals totals = sums.totals(images, secondsSince(start));
  sweep->requireRead(static_cast<double>(totals.images));
  totals.loader = sweep->stats();
  return totals;
}

Tensor logitsOf(Network* network, const Dataset& data, bool isTraining,
                int64_t batchSize, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const auto sweep = data.sweep({.batch = isTraining ? data.size() : batchSize,
                                 .tensors = network->options(),
                                 .shards = false});
  if (isTraining) {
    // Batch statistics; the running ones stay as they are.
    Run run;
    run.isTraining = true;
    run.statisticsMomentum = 0;
    run.random = at::make_generator<at::CPUGeneratorImpl>(uint64_t{0});
    const Tensor images = sweep->piece(0, 0).batch.images;
    if (const auto engine = engine::engineFor(*network))
      return engine->logits(images, run);
    Tape tape;
    return forwardTraining(*network, images, run, &tape);
  }
  Tensors parts;
  std::unique_ptr<engine::Engine> engine = engine::engineFor(*network);
  if (engine && !engine->isBest(std::min(batchSize, data.size())))
    engine = nullptr;
  const OneThread alone(engine != nullptr);
  const std::optional<Folded> folded = foldedFor(*network, engine.get());
  for (int64_t i = 0; i < sweep->steps(); ++i) {
    control.check();
    const Tensor images = sweep->piece(i, 0).batch.images;
    parts.push_back(
        engine ? engine->logits(images, {})
               : forwardEvaluation(*network, *folded, images, nullptr));
  }
  return at::cat(parts, 0);
}

}  // namespace splitgrow
