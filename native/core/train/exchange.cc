// Plans buckets of gradients and sums them over the ranks.
#include "train/exchange.h"

#include <algorithm>

namespace splitgrow {

namespace {

// The first bucket is small, so that the first sum begins early (as c10d has
// it).
constexpr int64_t kFirstBytes = int64_t{1} << 20;

}  // namespace

Exchange::Exchange(const Network& network)
    : network_(network), isShared_(groupWorld() > 1) {
  if (!isShared_) return;
  const int64_t total = network.gradients.numel();
  const int64_t size = network.gradients.element_size();
  of_.resize(network.nodes.size());
  const int64_t most = groupBucketBytes() / size;
  if (most == 0) {
    buckets_.push_back({0, total, 0, 0});
    return;
  }
  plan(0, network.decayed, std::min(kFirstBytes / size, most), most);
  plan(network.decayed, total, most, most);
}

void Exchange::plan(int64_t from, int64_t to, int64_t first, int64_t most) {
  struct Parameter {
    int64_t offset, count;
    size_t node;
  };
  std::vector<Parameter> parameters;
  for (size_t i = 0; i < network_.nodes.size(); ++i)
    for (const at::Tensor& gradient : network_.nodes[i].gradients) {
      if (!gradient.defined()) continue;
      const int64_t offset = gradient.storage_offset();
      if (offset >= from && offset < to)
        parameters.push_back({offset, gradient.numel(), i});
    }
  // The last parameters first, as a backward pass writes them.
  std::sort(parameters.begin(), parameters.end(),
            [](const auto& a, const auto& b) { return a.offset > b.offset; });
  int64_t limit = first;
  bool isOpen = false;
  for (const auto& [offset, count, node] : parameters) {
    if (!isOpen) buckets_.push_back({offset, 0, 0, 0});
    Bucket& bucket = buckets_.back();
    bucket.count += bucket.from - offset + (isOpen ? 0 : count);
    bucket.from = offset;
    ++bucket.parameters;
    of_[node].push_back(buckets_.size() - 1);
    isOpen = bucket.count < limit;
    if (!isOpen) limit = most;
  }
}

void Exchange::begin(const at::Tensor& earlier) {
  earlier_ = earlier;
  waits_.clear();
  for (Bucket& bucket : buckets_) bucket.left = bucket.parameters;
}

void Exchange::send(Bucket* bucket) {
  const at::Tensor part =
      network_.gradients.narrow(0, bucket->from, bucket->count);
  if (earlier_.defined())
    part.add_(earlier_.narrow(0, bucket->from, bucket->count));
  waits_.push_back(beginSum(part));
  bucket->left = -1;
}

void Exchange::written(size_t node) {
  if (!isShared_) return;
  for (const size_t i : of_[node])
    if (--buckets_[i].left == 0) send(&buckets_[i]);
}

void Exchange::finish() {
  if (!isShared_) {
    if (earlier_.defined()) network_.gradients.add_(earlier_);
    return;
  }
  for (Bucket& bucket : buckets_)
    if (bucket.left >= 0) send(&bucket);
  for (const Wait& wait : waits_) wait();
  waits_.clear();
}

}  // namespace splitgrow
