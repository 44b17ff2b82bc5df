// The group of ranks that this process belongs to, and its collectives: c10d's,
// Gloo for tensors on the host, the accelerator's for those on its device.
// Without a group every function here does nothing.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <string>

namespace splitgrow {

struct GroupOptions {
  int rank = 0, world = 1;
  int localRank = 0;  // among the ranks of its machine
  std::string host;
  int port = 0;
  // False where a launcher (torchrun) serves the store already.
  bool isServer = false;
  std::string prefix;    // keeps restarts of the same job apart
  std::string settings;  // must be the same on every rank
  int64_t timeoutMs = 0;
  int64_t bucketBytes = 0;  // of gradients; 0: all in one piece
};

// One group a process; every environment of the process shares it.
void joinGroup(const GroupOptions& options);
// `reason` tells the other ranks why this one ends before the work is done.
// Empty: the work is done.
void leaveGroup(const std::string& reason);
int groupRank();
int groupWorld();
int groupLocalRank();
int64_t groupBucketBytes();

// Every rank must make the same calls in the same order, with tensors of the
// same shape. E_DISTRIBUTED where another rank fails or is late.
void sumOverGroup(const at::Tensor& tensor);        // in place
void broadcastOverGroup(const at::Tensor& tensor);  // rank 0's, in place
// Begins a sum in place; the tensor is whole after the returned call.
using Wait = std::function<void()>;
Wait beginSum(const at::Tensor& tensor);

}  // namespace splitgrow
