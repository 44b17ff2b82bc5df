// A caching allocator for CPU tensors, and peaks on either device.
#include "tensor/memory.h"

#include <ATen/Context.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

namespace splitgrow {

namespace {

// Stands in front of every block. It is as long as the alignment, so that the
// block is aligned too.
struct alignas(64) Header {
  size_t size;   // of the block without the header, a size class
  size_t asked;  // bytes the tensor asked for
};

// There are four size classes between two powers of two, so at most a quarter
// of a block is unused.
size_t sizeClass(size_t bytes) {
  if (bytes <= 256) return 256;
  const size_t step = std::bit_floor(bytes - 1) / 4;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): 64 or more
  return (bytes + step - 1) / step * step;
}

class Cache : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &give, c10::Device(c10::kCPU)};
    void* data = take(bytes);
    return {data, data, &give, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give; }
  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }
  void empty() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [size, blocks] : free_)
      for (Header* block : blocks) std::free(block);
    free_.clear();
  }
  int64_t held() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return held_;
  }
  // Bytes of all blocks, used or waiting.
  int64_t reserved() {
    const std::lock_guard<std::mutex> lock(mutex_);
    int64_t bytes = held_;
    for (const auto& [size, blocks] : free_)
      bytes += static_cast<int64_t>(size * blocks.size());
    return bytes;
  }
  int64_t peak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return peak_;
  }
  void resetPeak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    peak_ = held_;
  }

 private:
  void* take(size_t bytes) {
    const size_t size = sizeClass(bytes);
    Header* block = nullptr;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto list = free_.find(size);
      if (list != free_.end() && !list->second.empty()) {
        block = list->second.back();
        list->second.pop_back();
      }
      held_ += static_cast<int64_t>(bytes);
      peak_ = std::max(peak_, held_);
    }
    if (block == nullptr) {
      const auto fresh = [size] {
        return static_cast<Header*>(
            std::aligned_alloc(alignof(Header), size + sizeof(Header)));
      };
      block = fresh();
      if (block == nullptr) {
        empty();  // blocks of other sizes wait
        block = fresh();
      }
      if (block == nullptr) {
        const std::lock_guard<std::mutex> lock(mutex_);
        held_ -= static_cast<int64_t>(bytes);
        throw std::bad_alloc();
      }
      block->size = size;
    }
    block->asked = bytes;
    return block + 1;
  }
  static void give(void* data);

  std::mutex mutex_;
  std::unordered_map<size_t, std::vector<Header*>> free_;
  int64_t held_ = 0, peak_ = 0;
};

// Never destroyed: tensors may outlive static destruction.
Cache& cache() {
  static Cache* const one = new Cache();
  return *one;
}

void Cache::give(void* data) {
  if (data == nullptr) return;
  Header* block = static_cast<Header*>(data) - 1;
  Cache& all = cache();
  const std::lock_guard<std::mutex> lock(all.mutex_);
  all.held_ -= static_cast<int64_t>(block->asked);
#if defined(__SANITIZE_ADDRESS__)
  std::free(block);  // so that a use after it is seen
#else
  try {
    all.free_[block->size].push_back(block);
  } catch (const std::bad_alloc&) {
    std::free(block);  // whoever destroys a tensor must not be thrown at
  }
#endif
}

int64_t allocatedOn(const c10::Device& device, bool wantPeak) {
  const auto stats =
      c10::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  const auto& all = stats.allocated_bytes[static_cast<size_t>(
      c10::CachingAllocator::StatType::AGGREGATE)];
  return wantPeak ? all.peak : all.current;
}

}  // namespace

void installMemory() {
  static const bool once = [] {
    c10::SetCPUAllocator(&cache(), /*priority=*/1);
    return true;
  }();
  (void)once;
}

void emptyMemory() { cache().empty(); }

void synchronize(const c10::Device& device) {
  if (!device.is_cpu())
    c10::impl::VirtualGuardImpl(device.type())
        .synchronizeDevice(device.index());
}

MemoryCounters memoryOf(const c10::Device& device) {
  if (device.is_cpu())
    return {cache().held(), cache().peak(), cache().reserved(), -1, -1};
  c10::DeviceAllocator* const allocator =
      c10::getDeviceAllocator(device.type());
  MemoryCounters m;
  if (!allocator->initialized()) return m;
  const auto aggregate =
      static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto stats = allocator->getDeviceStats(device.index());
  m.allocated = stats.allocated_bytes[aggregate].current;
  m.peak = stats.allocated_bytes[aggregate].peak;
  m.reserved = stats.reserved_bytes[aggregate].current;
  const auto [free, total] = allocator->getMemoryInfo(device.index());
  m.free = static_cast<int64_t>(free);
  m.total = static_cast<int64_t>(total);
  return m;
}

void emptyDeviceMemory() {
  if (!at::hasCUDA()) return;
  c10::DeviceAllocator* const allocator = c10::getDeviceAllocator(c10::kCUDA);
  if (allocator->initialized()) allocator->emptyCache();
}

PeakMemory::PeakMemory(const c10::Device& device) : device_(device) {
  if (device.is_cpu()) {
    cache().resetPeak();
    before_ = cache().held();
  } else {
    c10::getDeviceAllocator(device.type())->resetPeakStats(device.index());
    before_ = allocatedOn(device, false);
  }
}

int64_t PeakMemory::bytes() const {
  return (device_.is_cpu() ? cache().peak() : allocatedOn(device_, true)) -
         before_;
}

int64_t PeakMemory::held() const {
  return (device_.is_cpu() ? cache().held() : allocatedOn(device_, false)) -
         before_;
}

}  // namespace splitgrow
