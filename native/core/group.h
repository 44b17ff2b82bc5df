// The group of ranks that this process belongs to: c10d's, over Gloo.
#pragma once

#include <ATen/ATen.h>

#include <string>

namespace splitgrow {

struct GroupOptions {
  int rank = 0, world = 1;
  std::string host;
  int port = 0;
  // False where a launcher (torchrun) serves the store already.
  bool isServer = false;
  std::string prefix;  // keeps restarts of the same job apart
  int64_t timeoutMs = 0;
};

// One group a process; every environment of the process shares it.
void joinGroup(const GroupOptions& options);
void leaveGroup();
int groupRank();
int groupWorld();
// In place; every rank must call with a tensor of the same shape.
void sumOverGroup(const at::Tensor& tensor);

}  // namespace splitgrow
