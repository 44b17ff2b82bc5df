// A team of threads: stages, stealing and waiting.
#include "engine/team.h"

#include "tensor/threads.h"

namespace splitgrow::engine {

namespace {

// Looks before a thread sleeps: some 20 microseconds.
constexpr int kLooks = 400;

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

uint64_t packed(uint64_t begin, uint64_t end) { return begin << 32 | end; }

// A unit from the front, or from the back, or -1.
int64_t take(std::atomic<uint64_t>* left, bool isFront) {
  uint64_t now = left->load(std::memory_order_relaxed);
  for (;;) {
    const uint64_t begin = now >> 32, end = now & 0xffffffffu;
    if (begin >= end) return -1;
    const uint64_t next =
        isFront ? packed(begin + 1, end) : packed(begin, end - 1);
    if (left->compare_exchange_weak(now, next, std::memory_order_relaxed))
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
    ++seen;
    if (isOver_.load()) return;
    runStage(*(*stages_)[at_], thread);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 2 == shares_.size())
      arrived_.notify_one();
  }
}

void Team::runStage(const Stage& stage, int thread) {
  try {
    for (size_t i = 0; i < shares_.size(); ++i) {
      Share& share = shares_[(thread + i) % shares_.size()];
      for (int64_t unit = 0; (unit = take(&share.left, i == 0)) >= 0;)
        call(stage,
             stage.isReversed ? share.begin + share.end - 1 - unit : unit,
             shares_[thread].scratch);
    }
  } catch (...) {
    // The first one counts.
    if (!hasFailed_.exchange(true)) error_ = std::current_exception();
  }
}

void Team::share(const Stage& stage) {
  const int64_t count = stage.count();
  const auto parts = static_cast<int64_t>(shares_.size());
  for (int64_t i = 0; i < parts; ++i) {
    shares_[i].begin = count * i / parts;
    shares_[i].end = count * (i + 1) / parts;
    shares_[i].left.store(packed(shares_[i].begin, shares_[i].end),
                          std::memory_order_relaxed);
  }
}

void Team::run(const std::vector<const Stage*>& stages) {
  stages_ = &stages;
  hasFailed_ = false;
  error_ = nullptr;
  const auto others = static_cast<uint32_t>(others_.size());
  for (at_ = 0; at_ < stages.size(); ++at_) {
    const Stage& stage = *stages[at_];
    share(stage);
    if (others > 0) {
      arrived_.store(0, std::memory_order_relaxed);
      begun_.fetch_add(1, std::memory_order_release);
      begun_.notify_all();
    }
    runStage(stage, 0);
    for (uint32_t now = 0; (now = arrived_.load()) != others && others > 0;)
      waitFor(arrived_, now);
    if (hasFailed_) std::rethrow_exception(error_);
    if (stage.finish) stage.finish();
  }
}

}  // namespace splitgrow::engine
