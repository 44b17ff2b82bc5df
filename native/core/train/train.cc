// An epoch of minibatch SGD, or a part of one, as a single call.
#include "train/train.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>

#include "engine/engine.h"
#include "ops/narrow.h"
#include "tensor/random.h"
#include "tensor/threads.h"
#include "train/exchange.h"
#include "train/recorder.h"
#include "train/statistics.h"
#include "train/sums.h"

namespace splitgrow {

namespace {

using at::Tensor;

void requireFinite(double loss, int64_t step) {
  require(std::isfinite(loss), "E_NOT_FINITE", "the training loss became ",
          loss, " at minibatch ", step + 1,
          " of this epoch; lower fit.optimizer.learningRate");
}

// The loss alone does not show it: relu6 turns infinity into 6. A sum of finite
// float32 cannot overflow in double.
void requireFinite(const Network& network, int64_t step) {
  for (const Tensor& all : {network.values, statisticsOf(network)})
    require(std::isfinite(all.sum(at::kDouble).item<double>()), "E_NOT_FINITE",
            "weights or running statistics became infinite or NaN by ",
            "minibatch ", step + 1, " of this epoch; lower ",
            "fit.optimizer.learningRate, and look for pixels that are far ",
            "from 0");
}

// The random numbers of dropout follow from the place alone, so that training
// may go on from any minibatch.
at::Generator generatorOf(uint64_t seed, int64_t step, int64_t piece) {
  uint64_t state = seed;
  for (const int64_t part : {int64_t{groupRank()}, step, piece})
    state = scrambled(state ^ static_cast<uint64_t>(part));
  return at::make_generator<at::CPUGeneratorImpl>(state);
}

// One forward and backward pass; fills the network's gradients.
Loss passesOver(Network* network, const Piece& piece, const Run& run,
                double smoothing, Tensor* logits,
                const OnGradients& onGradients) {
  Tape tape;
  *logits = forwardTraining(*network, piece.batch.images, run, &tape);
  Loss loss = crossEntropy(*logits, piece.batch.labels, smoothing, true);
  if (piece.share != 1) loss.gradLogits.mul_(piece.share);
  backwardTraining(*network, &tape, run, loss.gradLogits, onGradients);
  return loss;
}

// For a piece without an image: gradients of 0, given in the order of a
// backward pass, because other ranks wait for them.
void giveNothing(Network* network, const OnGradients& onGradients) {
  network->gradients.zero_();
  if (!onGradients) return;
  const auto& steps = network->trainingSteps;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    onGradients(step->node);
}

// A training step depends on nothing but the minibatch.
bool isStatic(const Network& network, const Run& run) {
  if (groupWorld() > 1 || run.syncsNorm) return false;
  for (const Node& node : network.nodes)
    if (node.instruction->op->isRandom && node.attributes().p > 0) return false;
  return true;
}

// Goes on with the sums and statistics of a pause. If the number of ranks has
// changed, rank 0 takes all sums, and each rank takes the mean of the
// statistics.
void takeUp(const TrainState& state, int64_t before, Network* network,
            Sums* sums) {
  if (!state.sums.defined()) return;
  require(state.sums.dim() == 2 && state.sums.size(0) > 0 &&
              (state.sums.size(1) == 4 || state.sums.size(1) == 3) &&
              state.sums.scalar_type() == at::kDouble,
          "E_ARGUMENT", "state: expected sums float64 [ranks, 4], found ",
          state.sums.scalar_type(), " ", state.sums.sizes());
  Tensor rows = state.sums;
  if (rows.size(1) == 3) {  // of a version that counted every image
    const Tensor images = at::zeros({rows.size(0), 1}, rows.options());
    images[0][0] = static_cast<double>(before);
    rows = at::cat({rows, images}, 1);
  }
  Tensor counted = rowOfThisRank(rows);
  if (!counted.defined() && groupRank() == 0) counted = rows.sum(0);
  if (counted.defined()) sums->values.copy_(counted);
  if (!state.statistics.defined()) return;
  const int64_t count = statisticsOf(*network).numel();
  require(state.statistics.dim() == 2 && state.statistics.size(0) > 0 &&
              state.statistics.size(1) == count &&
              state.statistics.is_floating_point(),
          "E_ARGUMENT", "state: expected statistics, floats [ranks, ", count,
          "], found ", state.statistics.scalar_type(), " ",
          state.statistics.sizes());
  Tensor row = rowOfThisRank(state.statistics);
  if (!row.defined()) row = state.statistics.mean(0);
  writeStatistics(network, row);
}

}  // namespace

void checkFits(const Network& network, const Dataset& data) {
  const auto& want = network.program.inputShape;
  const auto have = data.shape();
  require(have == want, "E_DATA", "the network takes images of shape ",
          at::IntArrayRef(want), ", the data has ", at::IntArrayRef(have));
  require(data.classes <= network.program.classes, "E_LABELS",
          "the network tells ", network.program.classes,
          " classes apart, the data has ", data.classes);
  require(data.device() == network.device, "E_DEVICE", "the network is on ",
          network.device, ", the data on ", data.device());
}

bool hasImages(const Sweep& sweep, const Piece& piece, const Run& run,
               int64_t least, int64_t step) {
  if (!sweep.mayLeaveOut() || piece.batch.labels.size(0) >= least) return true;
  require(!run.syncsNorm || piece.images > 0, "E_DATA",
          "no image of this rank's part of minibatch ", step + 1,
          " could be read, and synchronised batch norm needs one; remove the ",
          "files that `splitgrow data index` lists, or leave ",
          "fit.syncBatchNorm out");
  return run.syncsNorm;
}

Trained trainEpoch(Network* network, const Dataset& data,
                   const TrainOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const auto start = Clock::now();
  Run run;
  run.isTraining = true;
  run.isNarrow = precisionOf(options.precision, *network) == at::kBFloat16;
  // The CPU's way, for what it takes.
  const bool syncsNorm = options.syncsNorm && groupWorld() > 1;
  std::unique_ptr<engine::Engine> engine;
  if (!syncsNorm && engine::takes(*network, run))
    engine = std::make_unique<engine::Engine>(*network);
  // By ATen maps are bfloat16 too.
  const bool narrowsMaps = run.isNarrow && engine == nullptr;
  const auto sweep =
      data.sweep({.batch = options.batch,
                  .micro = options.microBatch,
                  .remainder = options.remainder,
                  .least = options.leastImages,
                  .shuffle = options.shuffle,
                  .augment = options.augment,
                  .seed = options.seed,
                  .tensors = network->options().dtype(
                      narrowsMaps ? at::kBFloat16 : network->dtype)});
  const int64_t steps = sweep->steps();
  require(static_cast<int64_t>(options.learningRates.size()) == steps,
          "E_ARGUMENT", "expected ", steps, " learning rates, found ",
          options.learningRates.size());
  const int64_t stop = options.stop < 0 ? steps : options.stop;
  require(options.start < stop && stop <= steps, "E_ARGUMENT",
          "expected minibatches from ", options.start, " to ", stop, " of ",
          steps);
  const PerParameter own{
      network->coefficientsOf(options.penalties, "penalty", 0),
      network->coefficientsOf(options.rateFactors, "rate factor", 1)};
  Sums sums(network->device);
  Tensor gathered;  // gradients of the pieces so far
  Exchange exchange(*network);
  const OnGradients written = [&](size_t node) { exchange.written(node); };
  Agreement agreement(control, options.pause);
  int64_t images = 0, before = 0;
  if (options.state.sums.defined())
    for (int64_t i = 0; i < options.start; ++i) before += sweep->images(i);
  takeUp(options.state, before, network, &sums);
  Trained result;
  result.state.next = options.start;
  if (options.momentum != 0 && !network->velocity.defined())
    network->velocity = at::zeros_like(network->values);
  if (narrowsMaps) narrow(network);  // allocated before the recorder
  // The engine has threads of its own. Those of ATen would look for work beside
  // them for a while after each of its few small loops.
  const OneThread alone(engine != nullptr);
  Tensor loss;  // of the latest piece
  Recorder recorder(network->device, isStatic(*network, run));
  const bool isHost = network->device.is_cpu();
  while (result.pause == Pause::none && result.state.next < stop) {
    const int64_t i = result.state.next++;
    agreement.check();
    if (narrowsMaps) narrow(network);
    const int64_t pieces = sweep->pieces(i);
    double read = 0;
    for (int64_t j = 0; j < pieces; ++j) {
      const Piece piece = sweep->piece(i, j);
      run.syncsNorm = options.syncsNorm && !piece.isWhole;
      run.random = generatorOf(options.seed, i, j);
      const bool isLast = j + 1 == pieces;
      if (isLast) exchange.begin(pieces > 1 ? gathered : Tensor());
      const bool isUsed = hasImages(*sweep, piece, run, options.leastImages, i);
      double lossHere = 0;
      if (isUsed && engine) {
        read += piece.images;
        const engine::Summary summary = engine->train(
            piece.batch.images, piece.batch.labels, run, options.labelSmoothing,
            piece.share, isLast ? written : OnGradients());
        sums.add(summary, piece.weight);
        lossHere = summary.loss;
      } else if (isUsed) {
        read += piece.images;
        recorder.run(piece.batch, {piece.share, piece.weight},
                     [network, run, &sums, &loss, rest = withoutBatch(piece),
                      onGradients = isLast ? written : OnGradients(),
                      smoothing = options.labelSmoothing](const Batch& batch) {
                       Piece here = rest;
                       here.batch = batch;
                       Tensor logits;
                       loss = passesOver(network, here, run, smoothing, &logits,
                                         onGradients)
                                  .sum;
                       sums.add(loss, logits, batch.labels, false, here.weight);
                     });
      } else {
        giveNothing(network, isLast ? written : OnGradients());
      }
      if (isHost && isUsed)
        requireFinite(engine ? lossHere : loss.item<double>(), i);
      if (isLast) continue;
      if (j == 0)
        gathered = network->gradients.clone();
      else
        gathered.add_(network->gradients);
    }
    exchange.finish();
    images += sweep->images(i);
    // Shares are parts of the whole minibatch, but the mean is over the images
    // that could be read.
    const auto planned = static_cast<double>(sweep->images(i));
    read = sweep->readOf(i, read);
    if (read > 0) {
      if (read != planned) network->gradients.mul_(planned / read);
      update(network, options, own, i);
    }
    ProgressReport report{
        "train",      i + 1,         steps, images, secondsSince(start),
        std::nan(""), sweep->stats()};
    // Reading the loss waits for the device.
    if (isHost || i + 1 == stop || i % 50 == 49) {
      const Totals soFar = sums.totals(before + images, 0);
      report.loss = soFar.loss;
      if (soFar.images > 0) requireFinite(report.loss, i);
      if (i % 50 == 49) requireFinite(*network, i);
    }
    control.report(report);
    if (i + 1 < stop) result.pause = agreement.pause();
  }
  if (result.pause != Pause::none) {
    result.state.sums = gatherRows(sums.values);
    if (groupWorld() > 1 && !options.syncsNorm)
      result.state.statistics = gatherRows(statisticsOf(*network));
  } else {
    sumOverGroup(sums.values);
    shareStatistics(network);
  }
  result.totals = sums.totals(before + images, secondsSince(start));
  result.totals.loader = sweep->stats();
  if (result.pause == Pause::none)
    sweep->requireRead(static_cast<double>(result.totals.images));
  if (result.totals.images == 0) result.totals.loss = 0;
  requireFinite(result.totals.loss, result.state.next - 1);
  requireFinite(*network, result.state.next - 1);
  result.graph = recorder.state();
  return result;
}

}  // namespace splitgrow
