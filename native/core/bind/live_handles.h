// The handles of one environment that hold something, and the bytes they hold.
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
// Bytes of the tensors that it holds. While a task works on it, maybe fewer.
int64_t bytesOf(const LiveHandle& handle);
// One row for each kind, ordered by name: how many handles there are, and the
// bytes of their tensors. Something that several handles hold counts once.
std::vector<HandleCount> countHandles(const LiveHandles& live);

}  // namespace splitgrow
