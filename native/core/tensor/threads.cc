// Threads by OpenMP's setting of each thread that starts parallel loops.
#include "tensor/threads.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace splitgrow {

namespace {

std::atomic<int> threads{0};

// Starts that many threads at once and ends them again.
void tryThreads(int count) {
  std::promise<void> over;
  const auto isOver = over.get_future().share();
  std::vector<std::thread> team;
  const auto disband = [&] {
    over.set_value();
    for (std::thread& one : team) one.join();
  };
  try {
    team.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i)
      team.emplace_back([isOver] { isOver.wait(); });
  } catch (...) {
    disband();
    throw;
  }
  disband();
}

// The first call makes LibTorch's pool for NNPACK and QNNPACK. The pool keeps
// its size, and LibTorch waits for ever if a thread of it cannot start: so it
// is made with one thread.
void setLibTorchThreads(int wanted) {
  static std::once_flag hasPool;
  std::call_once(hasPool, [] { at::set_num_threads(1); });
  at::set_num_threads(wanted);
}

}  // namespace

void keepToOneThread() {
  // LibTorch asks OpenMP at the first call and keeps the answer for this
  // thread.
  const int found = at::get_num_threads();
  int unset = 0;
  threads.compare_exchange_strong(unset, found);
  omp_set_num_threads(1);
}

void setTaskThreads(int wanted) {
  threads = wanted;
  setLibTorchThreads(wanted);
  omp_set_num_threads(1);
}

OneThread::OneThread(bool isWanted) {
  if (!isWanted) return;
  // LibTorch asks OpenMP at the first call and keeps the answer for this
  // thread.
  const int found = at::get_num_threads();
  if (found <= 1) return;
  before_ = found;
  omp_set_num_threads(1);
}

OneThread::~OneThread() {
  if (before_ != 0) omp_set_num_threads(before_);
}

int taskThreads() { return threads; }

void computeWith(int wanted) {
  try {
    tryThreads(wanted - 1);
  } catch (const std::system_error& error) {
    throw noThread(error);
  }
  setLibTorchThreads(wanted);
}

Error noThread(const std::system_error& error) {
  return Error("E_RESOURCES",
               "the system starts no more threads (" + error.code().message() +
                   "); raise the limit (`ulimit -u`, the container's pids), "
                   "end other processes, or take fewer threads");
}

}  // namespace splitgrow
