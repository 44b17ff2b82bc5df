// Tensor memory. On the CPU freed blocks are kept and used again instead of
// being given back to the system at every step. Also counts the peak over a
// stretch of work.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace splitgrow {

// Makes LibTorch take CPU tensors from the cache. Freed blocks wait in one list
// for each size, because steps ask for the same sizes again and again, and new
// pages from the system cost more than the work on them (docs/dependencies.md
// has the numbers). A step that frees blocks of 3 MB and 5 MB and asks for 3 MB
// gets the first one back.
void installMemory();
// Gives the blocks that wait back to the system.
void emptyMemory();

void synchronize(const c10::Device& device);

// In bytes: held by tensors now, the most that they held so far, and taken from
// the device; then the free and all bytes of the device, -1 if it does not
// tell.
struct MemoryCounters {
  int64_t allocated = 0, peak = 0, reserved = 0, free = -1, total = -1;
};
MemoryCounters memoryOf(const c10::Device& device);
// Gives the blocks that wait on GPUs back to them.
void emptyDeviceMemory();

// The most bytes that tensors of the process held at once since its
// construction, above what they held before.
class PeakMemory {
 public:
  explicit PeakMemory(const c10::Device& device);
  int64_t bytes() const;
  // Bytes held now, above what was held before.
  int64_t held() const;

 private:
  c10::Device device_;
  int64_t before_;
};

}  // namespace splitgrow
