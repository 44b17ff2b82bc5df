// Tensor memory: on the CPU, blocks that are used again instead of being given
// back to the system at every step; and the peak over a stretch of work.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace splitgrow {

// Makes LibTorch take CPU tensors from the cache. Freed blocks wait in lists
// by size: minibatch steps ask for the same sizes over and over, and fresh
// pages cost more than the work on them.
void installMemory();
// Gives what waits back to the system.
void emptyMemory();

void synchronize(const c10::Device& device);

// Bytes: held by tensors, the most of them so far, and taken from the device;
// the device's own free and total bytes, -1 where it does not tell.
struct MemoryCounters {
  int64_t allocated = 0, peak = 0, reserved = 0, free = -1, total = -1;
};
MemoryCounters memoryOf(const c10::Device& device);
// Gives what waits on GPUs back to them.
void emptyDeviceMemory();

// From its construction on: the most bytes that tensors of the process held at
// a time, above what they held before.
class PeakMemory {
 public:
  explicit PeakMemory(const c10::Device& device);
  int64_t bytes() const;
  // Held now, above what was held before.
  int64_t held() const;

 private:
  c10::Device device_;
  int64_t before_;
};

}  // namespace splitgrow
