// A sweep in training mode that changes the running statistics alone.
#include "train/statistics.h"

#include <cmath>

#include "engine/engine.h"
#include "ranks/group.h"
#include "tensor/clock.h"
#include "tensor/threads.h"
#include "train/pause.h"
#include "train/train.h"

namespace splitgrow {

namespace {

using at::Tensor;

// Running means and variances: what is not trained.
Tensors statisticsIn(const Network& network) {
  Tensors all;
  for (const Node& node : network.nodes)
    for (size_t i = 0; i < node.parameters.size(); ++i)
      if (!node.gradients[i].defined()) all.push_back(node.parameters[i]);
  return all;
}

void sweepOver(Network* network, const Dataset& data,
               const RecalibrateOptions& options, const Control& control) {
  const auto start = Clock::now();
  const auto sweep = data.sweep({.batch = options.batch,
                                 .remainder = options.remainder,
                                 .least = options.leastImages,
                                 .shuffle = options.shuffle,
                                 .augment = options.augment,
                                 .seed = options.seed,
                                 .tensors = network->options()});
  Run run;
  run.isTraining = true;
  int64_t images = 0, done = 0;
  const std::unique_ptr<engine::Engine> engine = engine::engineFor(*network);
  const OneThread alone(engine != nullptr);
  Agreement agreement(control);
  for (int64_t i = 0; i < sweep->steps(); ++i) {
    agreement.check();
    const Piece piece = sweep->piece(i, 0);
    run.syncsNorm = options.syncsNorm && !piece.isWhole;
    if (hasImages(*sweep, piece, run, options.leastImages, i)) {
      // 1 at first, so that the old statistics go; then the mean of all
      // minibatches so far.
      run.statisticsMomentum = 1.0 / static_cast<double>(++done);
      if (engine && !run.syncsNorm) {
        engine->logits(piece.batch.images, run);
      } else {
        Tape tape;
        forwardTraining(*network, piece.batch.images, run, &tape);
      }
    }
    images += sweep->images(i);
    control.report({"recalibrate", i + 1, sweep->steps(), images,
                    secondsSince(start), std::nan(""), sweep->stats()});
  }
  sweep->requireRead(static_cast<double>(done));
  shareStatistics(network);
}

}  // namespace

void shareStatistics(Network* network) {
  const int world = groupWorld();
  if (world == 1 || network->statistics.numel() == 0) return;
  for (const at::Tensor& each :
       {network->statistics, network->averageStatistics}) {
    if (!each.defined()) continue;
    sumOverGroup(each);
    each.div_(world);
  }
}

void recalibrate(Network* network, const Dataset& data,
                 const RecalibrateOptions& options, const Control& control) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(network->busy);
  checkFits(*network, data);
  const Tensors statistics = statisticsIn(*network);
  Tensors before;
  before.reserve(statistics.size());
  for (const Tensor& one : statistics) before.push_back(one.clone());
  try {
    sweepOver(network, data, options, control);
  } catch (...) {
    for (size_t i = 0; i < statistics.size(); ++i)
      statistics[i].copy_(before[i]);
    throw;
  }
}

}  // namespace splitgrow
