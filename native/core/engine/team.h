// Threads that go through the stages of a step together.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace splitgrow::engine {

// A part of a step: units that may run in any order and on any thread. What
// they compute depends on the unit alone, so the result has the same bits for
// any number of threads.
struct Stage {
  struct Segment {
    int64_t count = 0;
    // Gets the unit and the scratch memory of its thread.
    std::function<void(int64_t, float*)> run;
  };
  std::vector<Segment> segments;
  // Called on the calling thread once all units are done.
  std::function<void()> finish;
  // The units of a thread in reverse: a stage begins with what the one before
  // left in the caches.
  bool isReversed = false;
  // Nanoseconds that it took the last time; only the waking of threads depends
  // on it.
  mutable int64_t lastTime = -1;
  int64_t count() const;
};

// One thread less than `threads` of its own: the caller is one of them. A stage
// ends with its last unit: a thread that the system keeps from running holds up
// nobody, unless in the midst of a unit. A thread that waits looks for a moment
// and then sleeps, so that a busy neighbour has the processor.
class Team {
 public:
  // Throws Error{E_RESOURCES} if the system starts no thread.
  explicit Team(int threads);
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  ~Team();

  // Each thread has scratch memory of at least so many floats from now on.
  void need(int64_t scratch);
  // Throws what a unit or a `finish` threw.
  void run(const std::vector<const Stage*>& stages);

 private:
  // Units that nobody has taken yet, and the stage whose they are: in one word.
  // So a thread that is late takes no unit of another stage.
  struct alignas(64) Share {
    std::atomic<uint64_t> left{0};
    int64_t begin = 0, end = 0;
    std::unique_ptr<char[]> memory;
    float* scratch = nullptr;
  };
  void work(int thread);
  void runStage(int thread, uint32_t number);
  void begin(const Stage& stage, uint32_t number);
  void stop();

  std::vector<Share> shares_;
  std::vector<std::thread> others_;
  std::atomic<const Stage*> stage_{nullptr};
  // Counts the stages that were begun, and the units of this one that are done.
  std::atomic<uint32_t> begun_{0};
  std::atomic<uint32_t> done_{0};
  std::atomic<bool> isOver_{false}, hasFailed_{false};
  std::exception_ptr error_;
  int64_t scratch_ = 0;
};

}  // namespace splitgrow::engine
