// The moving average of a network's weights and running statistics.
#include "train/train.h"

namespace splitgrow {

void takeAverage(Network* network, const AverageOptions& options,
                 int64_t step) {
  if (options.decay == 0 || step % options.every != 0) return;
  const bool isFirst = !network->averageValues.defined();
  if (isFirst) {
    network->averageValues = network->values.clone();
    network->averageStatistics = network->statistics.clone();
    return;
  }
  // A weight of 1 gives the network's own bits.
  const double share = step < options.copies ? 1 : 1 - options.decay;
  network->averageValues.lerp_(network->values, share);
  network->averageStatistics.lerp_(network->statistics, share);
}

std::shared_ptr<Network> averageOf(const Network& network) {
  const at::NoGradGuard noGrad;
  if (!network.averageValues.defined()) return nullptr;
  auto averaged =
      std::make_shared<Network>(network.program, network.device, network.dtype);
  averaged->write(network.read("average"));
  return averaged;
}

}  // namespace splitgrow
