// What the gradients of a minibatch make of the weights.
#include "train/train.h"

namespace splitgrow {

namespace {

using at::Tensor;

// Gradient of sum coefficient * |parameter|, 0 where the parameter is 0.
void addPenalty(Network* network, const Penalty& penalty) {
  if (!penalty.coefficients.defined()) return;
  const int64_t count = penalty.coefficients.numel();
  network->gradients.narrow(0, penalty.from, count)
      .addcmul_(penalty.coefficients,
                network->values.narrow(0, penalty.from, count).sign());
}

// As torch.nn.utils.clip_grad_norm_, without waiting for the device.
void clip(const Tensor& gradients, double most) {
  if (most > 0) gradients.mul_((most / (gradients.norm() + 1e-6)).clamp_max(1));
}

}  // namespace

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

void update(Network* network, const TrainOptions& options,
            const Penalty& penalty, int64_t step) {
  addPenalty(network, penalty);
  clip(network->gradients, options.gradientClip);
  sgdStep(network, options, options.learningRates[step]);
  takeAverage(network, options.average, step);
}

}  // namespace splitgrow
