// Threads by OpenMP's setting of each thread that starts parallel loops.
#include "threads.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <atomic>

namespace splitgrow {

namespace {

std::atomic<int> threads{0};

}  // namespace

void keepToOneThread() {
  // The first question fixes LibTorch's own idea of this thread.
  const int found = at::get_num_threads();
  int unset = 0;
  threads.compare_exchange_strong(unset, found);
  omp_set_num_threads(1);
}

void setTaskThreads(int wanted) {
  threads = wanted;
  at::set_num_threads(wanted);
  omp_set_num_threads(1);
}

int taskThreads() { return threads; }

}  // namespace splitgrow
