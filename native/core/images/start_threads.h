// Threads of a pool, on a machine that may refuse some.
#pragma once

#include <system_error>
#include <thread>
#include <vector>

#include "../error.h"

namespace splitgrow {

// Starts `count` threads that run `work`, or as many as the system gives.
// Throws Error{E_NATIVE} where it gives none.
template <class Work>
void startThreads(int count, std::vector<std::thread>* threads,
                  const Work& work) {
  // Nothing may throw between a thread's start and its place in the list.
  threads->reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    try {
      threads->emplace_back(work);
    } catch (const std::system_error& error) {
      require(!threads->empty(), "E_NATIVE",
              "no thread can be started: ", error.code().message(),
              "; allow this process more threads (ulimit -u, or the ",
              "container's limit of processes)");
      return;
    }
  }
}

}  // namespace splitgrow
