// The handles of one environment that hold something, and what it takes.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace splitgrow {

struct LiveHandle {
  const char* kind;
  void* held;
};
// By the handle's address. Touched by the environment's own thread alone.
using LiveHandles = std::unordered_map<const void*, LiveHandle>;

struct HandleCount {
  std::string kind;
  int64_t handles = 0, bytes = 0;
};
// Of the tensors that it holds; of one at work maybe less.
int64_t bytesOf(const LiveHandle& handle);
// A row a kind, by name: how many there are, and the bytes of their tensors.
// What several handles hold counts once.
std::vector<HandleCount> countHandles(const LiveHandles& live);

}  // namespace splitgrow
