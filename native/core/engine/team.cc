// A team of threads: stages, stealing and waiting.
#include "engine/team.h"

#include <chrono>

#include "tensor/error.h"
#include "tensor/threads.h"

namespace splitgrow::engine {

namespace {

// Looks before a thread sleeps: some 50 microseconds.
constexpr int kLooks = 2000;

// A stage of less nanoseconds is over before a thread that sleeps has woken.
constexpr int64_t kWorthWaking = 60'000;

// A word of units: number of the stage, begin, end.
constexpr int kUnitBits = 24;
constexpr uint64_t kUnitMask = (uint64_t{1} << kUnitBits) - 1;
constexpr uint64_t kNumberMask = 0xffff;

int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void pauseAMoment() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `value` is no longer `old`.
void waitFor(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kLooks; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    pauseAMoment();
  }
  value.wait(old, std::memory_order_acquire);
}

uint64_t packed(uint64_t number, uint64_t begin, uint64_t end) {
  return (number & kNumberMask) << 2 * kUnitBits | begin << kUnitBits | end;
}

// A unit of stage `number` from the front, or from the back, or -1.
int64_t take(std::atomic<uint64_t>* left, uint32_t number, bool isFront) {
  uint64_t now = left->load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t begin = now >> kUnitBits & kUnitMask, end = now & kUnitMask;
    if (now >> 2 * kUnitBits != (number & kNumberMask) || begin >= end)
      return -1;
    const uint64_t next = isFront ? packed(number, begin + 1, end)
                                  : packed(number, begin, end - 1);
    if (left->compare_exchange_weak(now, next, std::memory_order_acquire,
                                    std::memory_order_relaxed))
      return static_cast<int64_t>(isFront ? begin : end - 1);
  }
}

void call(const Stage& stage, int64_t unit, float* scratch) {
  for (const Stage::Segment& segment : stage.segments) {
    if (unit < segment.count) return segment.run(unit, scratch);
    unit -= segment.count;
  }
}

}  // namespace

int64_t Stage::count() const {
  int64_t all = 0;
  for (const Segment& segment : segments) all += segment.count;
  return all;
}

Team::Team(int threads) : shares_(threads) {
  try {
    for (int i = 1; i < threads; ++i)
      others_.emplace_back([this, i] { work(i); });
  } catch (const std::system_error& error) {
    stop();
    throw noThread(error);
  }
}

Team::~Team() { stop(); }

void Team::need(int64_t scratch) {
  if (scratch <= scratch_) return;
  scratch_ = scratch;
  for (Share& share : shares_) {
    constexpr int64_t kAlignment = 64;
    const auto bytes = scratch * sizeof(float);
    share.memory = std::make_unique<char[]>(bytes + kAlignment);
    void* place = share.memory.get();
    size_t room = bytes + kAlignment;
    share.scratch =
        static_cast<float*>(std::align(kAlignment, bytes, place, room));
  }
}

void Team::stop() {
  isOver_.store(true);
  begun_.fetch_add(1);
  begun_.notify_all();
  for (std::thread& other : others_) other.join();
  others_.clear();
}

void Team::work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    waitFor(begun_, seen);
    seen = begun_.load(std::memory_order_acquire);
    if (isOver_.load()) return;
    runStage(thread, seen);
  }
}

void Team::runStage(int thread, uint32_t number) {
  uint32_t count = 0;
  for (size_t i = 0; i < shares_.size(); ++i) {
    Share& share = shares_[(thread + i) % shares_.size()];
    for (int64_t unit = 0; (unit = take(&share.left, number, i == 0)) >= 0;) {
      ++count;
      // The next stage begins when this unit is done.
      const Stage& stage = *stage_.load(std::memory_order_relaxed);
      try {
        call(stage,
             stage.isReversed ? share.begin + share.end - 1 - unit : unit,
             shares_[thread].scratch);
      } catch (...) {
        // The first one counts.
        if (!hasFailed_.exchange(true)) error_ = std::current_exception();
      }
    }
  }
  if (count == 0) return;
  done_.fetch_add(count, std::memory_order_acq_rel);
  if (thread != 0) done_.notify_one();
}

void Team::begin(const Stage& stage, uint32_t number) {
  const int64_t count = stage.count();
  require(count <= static_cast<int64_t>(kUnitMask), "E_RESOURCES", "a step of ",
          count, " units of work; use a smaller batch");
  const auto parts = static_cast<int64_t>(shares_.size());
  stage_.store(&stage, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  for (int64_t i = 0; i < parts; ++i) {
    shares_[i].begin = count * i / parts;
    shares_[i].end = count * (i + 1) / parts;
    shares_[i].left.store(packed(number, shares_[i].begin, shares_[i].end),
                          std::memory_order_release);
  }
  begun_.store(number, std::memory_order_release);
  if (stage.lastTime < 0 || stage.lastTime >= kWorthWaking) begun_.notify_all();
}

void Team::run(const std::vector<const Stage*>& stages) {
  hasFailed_ = false;
  error_ = nullptr;
  for (const Stage* const stage : stages) {
    const uint32_t number = begun_.load(std::memory_order_relaxed) + 1;
    const int64_t start = nanoseconds();
    begin(*stage, number);
    runStage(0, number);
    const auto count = static_cast<uint32_t>(stage->count());
    for (uint32_t now = 0;
         (now = done_.load(std::memory_order_acquire)) < count;)
      waitFor(done_, now);
    stage->lastTime = nanoseconds() - start;
    if (hasFailed_) std::rethrow_exception(error_);
    if (stage->finish) stage->finish();
  }
}

}  // namespace splitgrow::engine
