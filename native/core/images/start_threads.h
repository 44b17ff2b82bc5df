// Threads of a pool, on a machine that may refuse some.
#pragma once

#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "tensor/threads.h"

namespace splitgrow {

// Starts `count` threads that run `work`, or as many as the system gives.
// Throws Error{E_RESOURCES} if it gives none. `failed` gets what `work` throws:
// an exception that leaves a thread would end the process.
template <class Work, class Failed>
void startThreads(int count, std::vector<std::thread>* threads,
                  const Work& work, const Failed& failed) {
  const auto guarded = [work, failed] {
    try {
      work();
    } catch (...) {
      failed(std::current_exception());
    }
  };
  // Nothing may throw between a thread's start and its place in the list.
  threads->reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    try {
      threads->emplace_back(guarded);
    } catch (const std::system_error& error) {
      if (threads->empty()) throw noThread(error);
      return;
    } catch (const std::bad_alloc&) {
      if (threads->empty()) throw;
      return;
    }
  }
}

}  // namespace splitgrow
