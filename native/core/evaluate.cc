// Evaluation over a dataset, and logits, as single calls.
#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "pause.h"
#include "sums.h"

namespace splitgrow {

using at::Tensor;

Totals evaluate(const Network& network, const Dataset& data,
                const EvaluateOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  checkFits(network, data);
  const auto start = Clock::now();
  // The running statistics are every rank's; a minibatch's own ones need all of
  // it.
  const bool shards = !options.usesBatchStatistics;
  const auto sweep = data.sweep({.batch = options.batch,
                                 .remainder = options.remainder,
                                 .tensors = network.options(),
                                 .shards = shards});
  const Folded folded(network);
  Run run;
  run.isTraining = true;
  run.statisticsMomentum = 0;
  Sums sums(network.device);
  int64_t images = 0;
  Agreement agreement(control);
  for (int64_t i = 0; i < sweep->steps(); ++i) {
    agreement.check();
    const auto [batch, share, weight, isWhole] = sweep->piece(i, 0);
    Tape tape;
    const Tensor logits =
        options.usesBatchStatistics
            ? forwardTraining(network, batch.images, run, &tape)
            : forwardEvaluation(network, folded, batch.images, nullptr);
    sums.add(crossEntropy(logits, batch.labels, 0, false).sum, logits,
             batch.labels, true, weight);
    images += sweep->images(i);
    control.report({"evaluate", i + 1, sweep->steps(), images,
                    secondsSince(start), std::nan(""), sweep->stats()});
  }
  if (shards) sumOverGroup(sums.values);
  Totals totals = sums.totals(images, secondsSince(start));
  totals.loader = sweep->stats();
  return totals;
}

Tensor logitsOf(Network* network, const Dataset& data, bool isTraining,
                int64_t batchSize) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  Tensors parts;
  if (isTraining) {
    // Batch statistics, without moving the running ones, also on failure.
    // NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): never copied
    struct Restored {
      Network* network;
      NamedTensors before;
      ~Restored() { network->write(before); }
    } restored{network, {}};
    for (const auto& [name, tensor] : network->weights())
      restored.before.emplace_back(name, tensor.clone());
    const auto sweep = data.sweep(
        {.batch = data.size(), .tensors = network->options(), .shards = false});
    Run run;
    run.isTraining = true;
    run.random = at::make_generator<at::CPUGeneratorImpl>(uint64_t{0});
    Tape tape;
    parts.push_back(
        forwardTraining(*network, sweep->piece(0, 0).batch.images, run, &tape));
  } else {
    const auto sweep = data.sweep(
        {.batch = batchSize, .tensors = network->options(), .shards = false});
    const Folded folded(*network);
    for (int64_t i = 0; i < sweep->steps(); ++i)
      parts.push_back(forwardEvaluation(
          *network, folded, sweep->piece(i, 0).batch.images, nullptr));
  }
  return at::cat(parts, 0);
}

}  // namespace splitgrow
