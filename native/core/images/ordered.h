// Many threads work on many items; one thread takes the results in order.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "images/start_threads.h"

namespace splitgrow {

// Calls `make()` once for each thread; it returns a function that turns an item
// into a T. Calls `take` on the calling thread for items `from` to `to` - 1, in
// order. The threads are at most `window` items ahead of it. `check` is called
// now and then. Any of them may throw: the first failure in the order of items
// ends the work.
template <class T>
void inOrder(int64_t from, int64_t to, int threads, int64_t window,
             const std::function<std::function<T(int64_t)>()>& make,
             const std::function<void(int64_t, T&&)>& take,
             const std::function<void()>& check) {
  struct Result {
    std::optional<T> value;
    std::exception_ptr failure;
    bool isThere() const { return value || failure; }
  };
  std::mutex mutex;
  std::condition_variable toWorkers, toTaker;
  std::deque<Result> results;  // of `taken` and those behind it
  int64_t next = from, taken = from;
  bool isOver = false;
  std::exception_ptr fatal;  // of a thread that could not go on

  const auto work = [&] {
    std::function<T(int64_t)> one;
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex);
      toWorkers.wait(
          lock, [&] { return isOver || next == to || next < taken + window; });
      if (isOver || next == to) return;
      results.emplace_back();
      const int64_t item = next++;
      lock.unlock();
      Result result;
      try {
        if (!one) one = make();
        result.value = one(item);
      } catch (...) {
        result.failure = std::current_exception();
      }
      lock.lock();
      results[item - taken] = std::move(result);
      if (item == taken) toTaker.notify_one();
    }
  };
  // Joins the threads before anything above is destroyed, on every way out of
  // this function.
  // NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): never copied
  struct Team {
    std::mutex& mutex;
    std::condition_variable& toWorkers;
    bool& isOver;
    std::vector<std::thread> threads;
    ~Team() {
      {
        const std::lock_guard<std::mutex> lock(mutex);
        isOver = true;
      }
      toWorkers.notify_all();
      for (std::thread& thread : threads) thread.join();
    }
  } team{mutex, toWorkers, isOver, {}};
  startThreads(threads, &team.threads, work, [&](std::exception_ptr failure) {
    const std::lock_guard<std::mutex> lock(mutex);
    fatal = std::move(failure);
    toTaker.notify_one();
  });

  for (int64_t item = from; item < to; ++item) {
    Result result;
    {
      std::unique_lock<std::mutex> lock(mutex);
      const auto isReady = [&] {
        return fatal || (!results.empty() && results.front().isThere());
      };
      while (!toTaker.wait_for(lock, std::chrono::milliseconds(50), isReady)) {
        lock.unlock();
        check();
        lock.lock();
      }
      if (fatal) std::rethrow_exception(fatal);
      result = std::move(results.front());
      results.pop_front();
      ++taken;
    }
    toWorkers.notify_one();
    if (result.failure) std::rethrow_exception(result.failure);
    check();
    if (result.value) take(item, std::move(*result.value));
  }
}

}  // namespace splitgrow
