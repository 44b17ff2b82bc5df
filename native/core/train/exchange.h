// Sums gradients over the ranks in buckets, while the backward pass goes on.
#pragma once

#include "ops/net.h"
#include "ranks/group.h"

namespace splitgrow {

// Buckets are stretches of the one buffer that all gradients lie in, cut at
// parameters, in the order in which a backward pass fills them. A bucket is
// summed as soon as its last gradient is written: that order is the program's,
// so every rank begins the same sums in the same order. c10d's Reducer does the
// same for modules, but learns of gradients by hooks of autograd, which the
// passes here do without.
class Exchange {
 public:
  explicit Exchange(const Network& network);
  // A backward pass begins whose gradients are to be summed; `earlier`, if
  // defined, is added to them before: this rank's passes so far.
  void begin(const at::Tensor& earlier);
  // The gradients of this node have their values.
  void written(size_t node);
  // Begins what is left; then waits for all sums.
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
