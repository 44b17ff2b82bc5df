// One epoch of minibatch SGD, and evaluation, as single calls.
#include "train.h"

#include <ATen/CPUGeneratorImpl.h>

#include <chrono>
#include <cmath>

#include "distributed.h"
#include "group.h"

namespace splitgrow {

namespace {

using at::Tensor;
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Sums that stay on the device until somebody looks.
struct Sums {
  explicit Sums(const at::Device& device)
      : values(at::zeros(
            {3}, at::TensorOptions().dtype(at::kDouble).device(device))) {}
  // `weight` is less than 1 where several ranks count the same images.
  void add(const Tensor& loss, const Tensor& logits, const Tensor& labels,
           bool wantTop5, double weight = 1) {
    values[0] += loss.to(at::kDouble) * weight;
    const int64_t k =
        wantTop5 ? std::min<int64_t>(5, logits.size(1)) : int64_t{1};
    const Tensor hits = std::get<1>(logits.topk(k, 1)).eq(labels.unsqueeze(1));
    values[1] += hits.select(1, 0).sum() * weight;
    values[2] += hits.sum() * weight;
  }
  Totals totals(int64_t images, double seconds) const {
    const Tensor host = values.to(at::kCPU);
    const auto* v = host.const_data_ptr<double>();
    const double n = static_cast<double>(images);
    return {v[0] / n, 100 * v[1] / n, 100 * v[2] / n, seconds, images};
  }
  Tensor values;
};

void requireFinite(double loss, int64_t step) {
  require(std::isfinite(loss), "E_NOT_FINITE", "the training loss became ",
          loss, " at minibatch ", step + 1,
          " of this epoch; lower fit.optimizer.learningRate");
}

// Gradient of sum coefficient * |parameter|, 0 where the parameter is 0.
void addPenalty(Network* network, const Penalty& penalty) {
  if (!penalty.coefficients.defined()) return;
  const int64_t count = penalty.coefficients.numel();
  network->gradients.narrow(0, penalty.from, count)
      .addcmul_(penalty.coefficients,
                network->values.narrow(0, penalty.from, count).sign());
}

}  // namespace

void checkFits(const Network& network, const Dataset& data) {
  const auto& want = network.program.inputShape;
  const auto have = data.images.sizes().slice(1);
  require(have == at::IntArrayRef(want), "E_DATA",
          "the network takes images of shape ", at::IntArrayRef(want),
          ", the data has ", have);
  require(data.classes <= network.program.classes, "E_LABELS",
          "the network tells ", network.program.classes,
          " classes apart, the data has ", data.classes);
  require(data.images.device() == network.device, "E_DEVICE",
          "the network is on ", network.device, ", the data on ",
          data.images.device());
}

void sgdStep(Network* network, const TrainOptions& options, double rate) {
  const bool hasMomentum = options.momentum != 0;
  if (hasMomentum && !network->velocity.defined())
    network->velocity = at::zeros_like(network->values);
  const auto update = [&](int64_t from, int64_t count, double decay) {
    if (count == 0) return;
    const auto part = [&](const Tensor& t) {
      return std::vector<Tensor>{t.narrow(0, from, count)};
    };
    at::_fused_sgd_(
        part(network->values), part(network->gradients),
        hasMomentum ? part(network->velocity) : std::vector<Tensor>{}, decay,
        options.momentum, rate, /*dampening=*/0, options.nesterov,
        /*maximize=*/false,
        /*is_first_step=*/false);
  };
  const int64_t total = network->values.numel();
  if (options.decaysAll) {
    update(0, total, options.weightDecay);
  } else {
    update(0, network->decayed, options.weightDecay);
    update(network->decayed, total - network->decayed, 0);
  }
}

Totals trainEpoch(Network* network, const Dataset& data,
                  const TrainOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const auto start = Clock::now();
  const Sweep sweep(data, options.batch, options.shuffle, options.augment,
                    options.seed, network->options());
  const int64_t steps = sweep.steps();
  require(static_cast<int64_t>(options.learningRates.size()) == steps,
          "E_ARGUMENT", "expected ", steps, " learning rates, found ",
          options.learningRates.size());
  const Penalty penalty = network->penaltyOf(options.penalties);
  Run run;
  run.isTraining = true;
  run.random = at::make_generator<at::CPUGeneratorImpl>(
      options.seed + 1 + static_cast<uint64_t>(groupRank()));
  Sums sums(network->device);
  int64_t images = 0;
  const bool isHost = network->device.is_cpu();
  for (int64_t i = 0; i < steps; ++i) {
    control.check();
    const Batch whole = sweep.batch(i);
    const auto [batch, share, isWhole] = shardOf(whole);
    run.syncsNorm = options.syncsNorm && !isWhole;
    Tape tape;
    const Tensor logits = forwardTraining(*network, batch.images, run, &tape);
    Loss loss =
        crossEntropy(logits, batch.labels, options.labelSmoothing, true);
    if (isHost) requireFinite(loss.sum.item<double>(), i);
    if (share != 1) loss.gradLogits.mul_(share);
    backwardTraining(*network, &tape, run, loss.gradLogits);
    sumOverGroup(network->gradients);
    addPenalty(network, penalty);
    sgdStep(network, options, options.learningRates[i]);
    const double weight = share * static_cast<double>(whole.labels.size(0)) /
                          static_cast<double>(batch.labels.size(0));
    sums.add(loss.sum, logits, batch.labels, false, weight);
    images += whole.labels.size(0);
    ProgressReport report{
        "train", i + 1, steps, images, secondsSince(start), std::nan("")};
    if (isHost || i + 1 == steps || i % 50 == 49)
      report.loss = sums.totals(images, 0).loss;
    control.report(report);
  }
  sumOverGroup(sums.values);
  shareStatistics(network);
  const Totals totals = sums.totals(images, secondsSince(start));
  requireFinite(totals.loss, steps - 1);
  return totals;
}

Totals evaluate(const Network& network, const Dataset& data,
                const EvaluateOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  checkFits(network, data);
  const auto start = Clock::now();
  const Sweep sweep(data, options.batch, false, {}, 0, network.options());
  const Folded folded(network);
  Run run;
  run.isTraining = true;
  run.statisticsMomentum = 0;
  Sums sums(network.device);
  int64_t images = 0;
  for (int64_t i = 0; i < sweep.steps(); ++i) {
    control.check();
    const Batch batch = sweep.batch(i);
    Tape tape;
    const Tensor logits =
        options.usesBatchStatistics
            ? forwardTraining(network, batch.images, run, &tape)
            : forwardEvaluation(network, folded, batch.images, nullptr);
    sums.add(crossEntropy(logits, batch.labels, 0, false).sum, logits,
             batch.labels, true);
    images += batch.labels.size(0);
    control.report({"evaluate", i + 1, sweep.steps(), images,
                    secondsSince(start), std::nan("")});
  }
  return sums.totals(images, secondsSince(start));
}

Tensor logitsOf(Network* network, const Dataset& data, bool isTraining,
                int64_t batchSize) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  Tensors parts;
  if (isTraining) {
    // Batch statistics, without moving the running ones, also on failure.
    struct Restored {
      Network* network;
      NamedTensors before;
      ~Restored() { network->write(before); }
    } restored{network, {}};
    for (const auto& [name, tensor] : network->weights())
      restored.before.emplace_back(name, tensor.clone());
    const Sweep sweep(data, data.size(), false, {}, 0, network->options());
    Run run;
    run.isTraining = true;
    run.random = at::make_generator<at::CPUGeneratorImpl>(uint64_t{0});
    Tape tape;
    parts.push_back(
        forwardTraining(*network, sweep.batch(0).images, run, &tape));
  } else {
    const Sweep sweep(data, batchSize, false, {}, 0, network->options());
    const Folded folded(*network);
    for (int64_t i = 0; i < sweep.steps(); ++i)
      parts.push_back(
          forwardEvaluation(*network, folded, sweep.batch(i).images, nullptr));
  }
  return at::cat(parts, 0);
}

}  // namespace splitgrow
