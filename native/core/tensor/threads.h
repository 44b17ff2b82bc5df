// How many threads tasks compute with.
#pragma once

#include <system_error>

#include "tensor/error.h"

namespace splitgrow {

// Work on a JavaScript thread uses that thread alone. With a pool of OpenMP
// threads there, libgomp would count more threads than processors, and the
// threads of tasks would sleep and wake up again at every parallel loop.
void keepToOneThread();
void setTaskThreads(int threads);
int taskThreads();

// While it lives, parallel loops that this thread starts (in LibTorch too) run
// on this thread alone. Does nothing if `isWanted` is false.
class OneThread {
 public:
  explicit OneThread(bool isWanted);
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread();

 private:
  int before_ = 0;  // 0: nothing to give back
};

// From here on the calling thread, which is a task's, computes with that many
// threads. Throws E_RESOURCES if the system does not give as many: OpenMP would
// end the process.
void computeWith(int threads);
// The error for a thread that the system does not start.
Error noThread(const std::system_error& error);

}  // namespace splitgrow
