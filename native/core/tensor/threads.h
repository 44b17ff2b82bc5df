// How many threads tasks compute with.
#pragma once

#include <system_error>

#include "tensor/error.h"

namespace splitgrow {

// What runs on a JavaScript thread uses that thread alone: a pool of OpenMP
// threads of its own would make libgomp count more threads than processors,
// and those of the tasks would then sleep and be woken at every parallel loop.
void keepToOneThread();
void setTaskThreads(int threads);
int taskThreads();

// Keeps the parallel loops that this thread starts, LibTorch's too, to this
// thread as long as it lives; does nothing where it is not wanted.
class OneThread {
 public:
  explicit OneThread(bool isWanted);
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread();

 private:
  int before_ = 0;  // 0: nothing to give back
};

// The calling thread, a task's own, computes with that many from here on.
// Throws E_RESOURCES where the system does not give as many: OpenMP would end
// the process.
void computeWith(int threads);
// What the system says where a thread cannot start.
Error noThread(const std::system_error& error);

}  // namespace splitgrow
