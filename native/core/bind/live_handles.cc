// Counts live handles by kind, and the bytes of the tensors they hold.
#include "bind/live_handles.h"

#include <map>
#include <set>

#include "bind/boundary.h"
#include "indices/indices_state.h"
#include "train/tensor_data.h"

namespace splitgrow {

namespace {

int64_t bytesOf(const at::Tensor& tensor) {
  return tensor.defined() ? static_cast<int64_t>(tensor.nbytes()) : 0;
}
int64_t bytesOf(const Tensors& tensors) {
  int64_t sum = 0;
  for (const at::Tensor& tensor : tensors) sum += bytesOf(tensor);
  return sum;
}

// While a task works on it, only the tensors that it was made with count: the
// task's thread changes the others.
int64_t ofNetwork(void* held) {
  auto* network = static_cast<Network*>(held);
  int64_t sum = bytesOf(network->values) + bytesOf(network->gradients) +
                bytesOf(network->statistics);
  const std::unique_lock<std::mutex> lock(network->busy, std::try_to_lock);
  if (!lock.owns_lock()) return sum;
  return sum + bytesOf(network->velocity) + bytesOf(network->averageValues) +
         bytesOf(network->averageStatistics) + bytesOf(network->narrowed);
}

// Images in files take no memory until they are decoded.
int64_t ofDataset(void* held) {
  auto* data =
      dynamic_cast<const TensorDataset*>(static_cast<const Dataset*>(held));
  return data == nullptr ? 0 : bytesOf(data->images) + bytesOf(data->labels);
}

int64_t ofDirections(void* held) {
  int64_t sum = 0;
  for (const auto& [name, tensor] :
       static_cast<const Directions*>(held)->tensors)
    sum += bytesOf(tensor);
  return sum;
}

int64_t ofIndicesState(void* held) {
  auto* state = static_cast<IndicesState*>(held);
  const std::unique_lock<std::mutex> lock(state->busy, std::try_to_lock);
  if (!lock.owns_lock()) return 0;
  int64_t sum = 0;
  for (const auto& blocks : state->sweeps)
    for (const Block& block : blocks) sum += bytesOf(block.sums);
  if (const Rayleigh* r = state->descent.get())
    sum += bytesOf(r->v) + bytesOf(r->square) + bytesOf(r->velocity) +
           bytesOf(r->used) + bytesOf(r->products) + bytesOf(r->quotients) +
           bytesOf(r->sumV) + bytesOf(r->sumProducts) +
           bytesOf(r->sumQuotients);
  return sum;
}

const std::map<std::string, int64_t (*)(void*)> kBytes = {
    {Kind<Network>::name, ofNetwork},
    {Kind<Dataset>::name, ofDataset},
    {Kind<Directions>::name, ofDirections},
    {Kind<IndicesState>::name, ofIndicesState}};

}  // namespace

int64_t bytesOf(const LiveHandle& handle) {
  const auto row = kBytes.find(handle.kind);
  return row == kBytes.end() ? 0 : row->second(handle.held);
}

std::vector<HandleCount> countHandles(const LiveHandles& live) {
  std::map<std::string, HandleCount> rows;
  std::set<const void*> seen;
  for (const auto& [handle, found] : live) {
    HandleCount& row = rows[found.kind];
    row.kind = found.kind;
    ++row.handles;
    if (seen.insert(found.held).second) row.bytes += bytesOf(found);
  }
  std::vector<HandleCount> list;
  list.reserve(rows.size());
  for (auto& [kind, row] : rows) list.push_back(std::move(row));
  return list;
}

}  // namespace splitgrow
