// What the gradients of a minibatch make of the weights.
#include <algorithm>

#include "train/train.h"

namespace splitgrow {

namespace {

using at::Tensor;

// Gradient of sum coefficient * |parameter|, 0 where the parameter is 0.
void addPenalty(Network* network, const Coefficients& penalty) {
  if (!penalty.values.defined()) return;
  const int64_t count = penalty.values.numel();
  network->gradients.narrow(0, penalty.from, count)
      .addcmul_(penalty.values,
                network->values.narrow(0, penalty.from, count).sign());
}

// As torch.nn.utils.clip_grad_norm_, without waiting for the device.
void clip(const Tensor& gradients, double most) {
  if (most > 0) gradients.mul_((most / (gradients.norm() + 1e-6)).clamp_max(1));
}

// Stretch [from, from + count) of the buffers, in which weights decay alike.
struct Part {
  int64_t from, count;
  double decay;
  Tensor of(const Tensor& buffer) const {
    return buffer.narrow(0, from, count);
  }
};

void stepAlike(Network* network, const TrainOptions& options, double rate,
               const Part& part) {
  if (part.count <= 0) return;
  const auto list = [&](const Tensor& t) {
    return std::vector<Tensor>{part.of(t)};
  };
  at::_fused_sgd_(
      list(network->values), list(network->gradients),
      options.momentum != 0 ? list(network->velocity) : std::vector<Tensor>{},
      part.decay, options.momentum, rate, /*dampening=*/0, options.nesterov,
      /*maximize=*/false,
      /*is_first_step=*/false);
}

// The same with a rate of each entry's own.
void stepByFactors(Network* network, const TrainOptions& options, double rate,
                   const Part& part, const Tensor& factors) {
  Tensor values = part.of(network->values);
  Tensor step = part.of(network->gradients);
  if (part.decay != 0) step = step.add(values, part.decay);
  if (options.momentum != 0) {
    Tensor velocity = part.of(network->velocity);
    velocity.mul_(options.momentum).add_(step);
    step = options.nesterov ? step.add(velocity, options.momentum) : velocity;
  }
  values.addcmul_(step, factors, -rate);
}

}  // namespace

void sgdStep(Network* network, const TrainOptions& options, double rate,
             const Coefficients& factors) {
  if (options.momentum != 0 && !network->velocity.defined())
    network->velocity = at::zeros_like(network->values);
  const bool hasFactors = factors.values.defined();
  const auto update = [&](int64_t from, int64_t to, double decay) {
    if (!hasFactors)
      return stepAlike(network, options, rate, {from, to - from, decay});
    // The stretch that has factors, and what lies before and behind it.
    const int64_t first = std::clamp(factors.from, from, to);
    const int64_t last =
        std::clamp(factors.from + factors.values.numel(), first, to);
    stepAlike(network, options, rate, {from, first - from, decay});
    if (last > first)
      stepByFactors(
          network, options, rate, {first, last - first, decay},
          factors.values.narrow(0, first - factors.from, last - first));
    stepAlike(network, options, rate, {last, to - last, decay});
  };
  const int64_t total = network->values.numel();
  if (options.decaysAll) {
    update(0, total, options.weightDecay);
  } else {
    update(0, network->decayed, options.weightDecay);
    update(network->decayed, total, 0);
  }
}

void update(Network* network, const TrainOptions& options,
            const PerParameter& own, int64_t step) {
  addPenalty(network, own.penalty);
  clip(network->gradients, options.gradientClip);
  sgdStep(network, options, options.learningRates[step], own.rateFactors);
  takeAverage(network, options.average, step);
}

}  // namespace splitgrow
