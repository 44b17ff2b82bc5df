// What ranks exchange besides gradients: batch-norm statistics.
#include "distributed.h"

#include "group.h"

namespace splitgrow {

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
