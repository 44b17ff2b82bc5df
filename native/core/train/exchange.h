// Sums gradients over the ranks in buckets, while the backward pass goes on.
#pragma once

#include "ops/net.h"
#include "ranks/group.h"

namespace splitgrow {

// All gradients lie in one buffer. A bucket is a stretch of it, cut between
// parameters, and buckets stand in the order in which a backward pass fills
// them. A bucket is summed over the ranks as soon as its last gradient is
// written. That order follows from the program, so every rank begins the same
// sums in the same order. c10d's Reducer does this for modules, but it needs
// the hooks of autograd, which the passes here do not have.
class Exchange {
 public:
  explicit Exchange(const Network& network);
  // Tells that a backward pass begins whose gradients are to be summed.
  // `earlier`, if defined, is added before the sum: the gradients of this
  // rank's passes so far.
  void begin(const at::Tensor& earlier);
  // The gradients of this node have their values.
  void written(size_t node);
  // Begins the sums that are left, then waits for all of them.
  void finish();

 private:
  struct Bucket {
    int64_t from = 0, count = 0;  // of the buffer
    int parameters = 0, left = 0;
  };
  void plan(int64_t from, int64_t to, int64_t first, int64_t most);
  void send(Bucket* bucket);

  const Network& network_;
  const bool isShared_;  // there are other ranks
  std::vector<Bucket> buckets_;
  std::vector<std::vector<size_t>> of_;  // buckets of a node's parameters
  at::Tensor earlier_;
  std::vector<Wait> waits_;
};

}  // namespace splitgrow
