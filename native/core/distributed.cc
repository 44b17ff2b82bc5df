// Sharding of minibatches and of batch-norm statistics.
#include "distributed.h"

#include "group.h"

namespace splitgrow {

Shard shardOf(const Batch& whole) {
  const int64_t world = groupWorld(), rank = groupRank();
  if (world == 1) return {whole, 1, true};
  const int64_t count = whole.labels.size(0);
  if (count < world) return {whole, 1.0 / static_cast<double>(world), true};
  const int64_t from = rank * count / world;
  const int64_t here = (rank + 1) * count / world - from;
  return {
      {whole.images.narrow(0, from, here), whole.labels.narrow(0, from, here)},
      static_cast<double>(here) / static_cast<double>(count),
      false};
}

void shareStatistics(Network* network) {
  const int world = groupWorld();
  if (world == 1) return;
  for (Node& node : network->nodes)
    for (size_t i = 0; i < node.parameters.size(); ++i) {
      if (node.gradients[i].defined()) continue;
      sumOverGroup(node.parameters[i]);
      node.parameters[i].div_(world);
    }
}

}  // namespace splitgrow
