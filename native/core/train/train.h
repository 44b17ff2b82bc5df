// Parametric updates and evaluation.
#pragma once

#include "ops/net.h"
#include "tensor/control.h"
#include "train/data.h"
#include "train/pause.h"

namespace splitgrow {

// Where an epoch was paused, besides the network itself.
struct TrainState {
  int64_t next = 0;  // the minibatch to go on with
  at::Tensor sums;   // float64 [ranks, 4], of Sums; undefined: of a new epoch
  // [ranks, n], running statistics; undefined where every rank has the same
  at::Tensor statistics;
};

// Moving average of weights and running statistics, as torchvision's
// ExponentialMovingAverage: average = decay * average + (1 - decay) * network,
// after the first minibatch of an epoch and every `every`-th one after it. The
// very first average, and those in the first `copies` minibatches of the epoch,
// are a copy of the network.
struct AverageOptions {
  double decay = 0;  // 0: no average is kept
  int64_t every = 1, copies = 0;
};

struct TrainOptions {
  int64_t batch = 1;
  int64_t microBatch = 0;  // images a pass, about; gradients add up; 0: all
  Remainder remainder = Remainder::kKeep;
  int64_t leastImages = 1;  // of a pass, as far as the minibatch has them
  std::vector<double> learningRates;  // one a minibatch of the epoch
  int64_t start = 0, stop = -1;       // minibatches worked on; -1: to the last
  TrainState state;                   // of the pause before `start`
  std::shared_ptr<PauseFlag> pause;
  std::string precision = "float32";  // of passes: or bfloat16 (narrow.h)
  double momentum = 0, weightDecay = 0, labelSmoothing = 0;
  double gradientClip = 0;  // largest norm of the whole gradient; 0: any
  AverageOptions average;
  bool nesterov = false, decaysAll = true, shuffle = true;
  bool syncsNorm = false;  // batch statistics over all ranks
  NamedTensors
      penalties;  // added to gradients, times the sign of the parameter
  NamedTensors rateFactors;  // times the rate, of each entry of a parameter
  Augment augment;
  uint64_t seed = 0;
};

struct EvaluateOptions {
  int64_t batch = 1;
  Remainder remainder = Remainder::kKeep;
  // Batch norm takes each minibatch's statistics instead of the running ones,
  // which stay as they are; nothing is dropped out.
  bool usesBatchStatistics = false;
};

struct Totals {
  // Of the images that could be read.
  double loss = 0, top1 = 0, top5 = 0, seconds = 0;
  int64_t images = 0;
  int64_t skipped = 0;  // that could not, over all ranks
  std::optional<LoaderStats> loader = {};
};

// The totals are over minibatches [0, state.next) if the call began an epoch or
// went on from a state, else over those of the call. After a pause they are the
// sums of this rank.
struct Trained {
  Totals totals;
  Pause pause = Pause::none;
  TrainState state;   // sums and statistics where it was paused
  std::string graph;  // Recorder::state
};

// SGD on the whole parameter buffer, as torch.optim.SGD does it. Parameters
// that have a factor are a group of their own of the rate `factor` * `rate`.
void sgdStep(Network* network, const TrainOptions& options, double rate,
             const Coefficients& factors = {});
// What the options say of single parameters, by their place in the buffer.
struct PerParameter {
  Coefficients penalty, rateFactors;
};
// All that follows the backward passes of a minibatch, whose place in the epoch
// is `step`: penalty, clipping, SGD and the moving average.
void update(Network* network, const TrainOptions& options,
            const PerParameter& own, int64_t step);

// Called after each step with its place in the epoch.
void takeAverage(Network* network, const AverageOptions& options, int64_t step);
// A network with the averaged weights and statistics; null where none are kept.
std::shared_ptr<Network> averageOf(const Network& network);

Trained trainEpoch(Network* network, const Dataset& data,
                   const TrainOptions& options, const Control& control);
Totals evaluate(const Network& network, const Dataset& data,
                const EvaluateOptions& options, const Control& control);
at::Tensor logitsOf(Network* network, const Dataset& data, bool isTraining,
                    int64_t batch, const Control& control);

// Whether the piece has the `least` images that a pass needs after images that
// could not be read are left out. A piece that was smaller from the start may
// be so. Throws Error{E_DATA} if the other ranks wait for this one's part of
// batch statistics.
bool hasImages(const Sweep& sweep, const Piece& piece, const Run& run,
               int64_t least, int64_t step);

// Throws unless the network takes images of the dataset's shape, has at least
// its number of classes and is on its device.
void checkFits(const Network& network, const Dataset& data);

}  // namespace splitgrow
