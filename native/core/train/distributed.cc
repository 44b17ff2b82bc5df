// What ranks exchange besides gradients: batch-norm statistics.
#include "train/distributed.h"

#include "ranks/group.h"

namespace splitgrow {

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

}  // namespace splitgrow
