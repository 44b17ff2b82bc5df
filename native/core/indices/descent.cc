// The descent on the Rayleigh quotients in rounds of epochs, until residuals
// are within the tolerance.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "indices/indices_job.h"
#include "ranks/group.h"
#include "train/recorder.h"
#include "train/train.h"

namespace splitgrow {

namespace {

using at::Tensor;

// The rate of an epoch of the descent, before rounds halve it.
double rateOf(const IndicesOptions& o, int64_t epoch) {
  double rate = o.learningRate;
  for (int64_t at = o.decayFirst; at <= epoch; at += o.decayEvery)
    rate *= o.decayFactor;
  return rate;
}

// How far the descent is in minibatches, all rounds together.
struct Descending {
  Recorder recorder;
  Agreement agreement;
  int64_t images = 0;
  int64_t steps = 1;  // of an epoch
};

// Runs the rest of a round of epochs. It tells of a pause that is asked for at
// the last minibatch, but the round is complete then.
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
      // An epoch may take minutes: better to find it now than after all of
      // them.
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

// The descent needs as many steps to forget its momentum: fewer would tell
// nothing.
constexpr int64_t kLeastSteps = 64;
// A round that makes progress lowers the sum of the indices by at least this
// share.
constexpr double kLowers = 1e-3;

// Takes the averages of a round and plans the next one. A chain is done when
// all its neurons are within the tolerance. If a round brings no more neuron
// within it and hardly lowers the indices, the rate is halved: the descent
// swings around its minimum by about the rate.
void endRound(const Job& job, int64_t steps, IndicesState* state) {
  const IndicesOptions& o = job.options;
  Rayleigh& descent = *state->descent;
  descent.finish(&state->result, state->result.directions.get(), *job.network,
                 job.weightOf(state->read));
  shareResult(job, &state->result);  // all ranks decide by the same numbers
  int64_t above = 0;
  double sum = 0, size = 0;
  for (size_t i = 0; i < descent.wanted.size(); ++i) {
    if (o.methods[i] != Method::kRayleigh) continue;
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

}  // namespace

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

// The rest of the descent: first the epochs asked for, then rounds of a tenth
// of them (or of kLeastSteps) as long as neurons are above the tolerance.
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

}  // namespace splitgrow
