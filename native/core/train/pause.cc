// Pauses that all ranks agree on, and the tensors that differ between ranks.
#include "train/pause.h"

#include "ranks/group.h"

namespace splitgrow {

using at::Tensor;

void Agreement::count() {
  if (!counted_) return;
  counted_();
  counted_ = nullptr;
}

void Agreement::check() {
  if (groupWorld() == 1) {
    control_.check();
    return;
  }
  count();
  require(!votes_.defined() || votes_[0].item<float>() == 0, "E_ABORTED",
          "the work was aborted");
  votes_ = at::zeros({3});
  if (control_.isAborted()) votes_[0] = 1;
  if (asked() != Pause::none) votes_[static_cast<int>(asked())] = 1;
  counted_ = beginSum(votes_);
  if (isFirst_) count();  // what came before the call ends it at once
  require(!isFirst_ || votes_[0].item<float>() == 0, "E_ABORTED",
          "the work was aborted");
  isFirst_ = false;
}

Pause Agreement::pause() {
  if (groupWorld() == 1) return asked();
  count();
  const float* counts = votes_.const_data_ptr<float>();
  if (counts[2] > 0) return Pause::stop;
  return counts[1] > 0 ? Pause::checkpoint : Pause::none;
}

Tensor gatherRows(const Tensor& row) {
  std::vector<int64_t> shape = row.sizes().vec();
  shape.insert(shape.begin(), groupWorld());
  const Tensor rows = at::zeros(shape, row.options());
  rows[groupRank()].copy_(row);
  sumOverGroup(rows);
  return rows;
}

Tensor rowOfThisRank(const Tensor& rows) {
  return rows.size(0) == groupWorld() ? rows[groupRank()] : Tensor();
}

Tensor statisticsOf(const Network& network) {
  const Tensor& averages = network.averageStatistics;
  return averages.defined() ? at::cat({network.statistics, averages})
                            : network.statistics;
}

void writeStatistics(Network* network, const Tensor& row) {
  const int64_t count = network->statistics.numel();
  network->statistics.copy_(row.narrow(0, 0, count));
  if (network->averageStatistics.defined())
    network->averageStatistics.copy_(row.narrow(0, count, count));
}

}  // namespace splitgrow
