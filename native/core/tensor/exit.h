// The end of the process while threads of ours still work.
#pragma once

namespace splitgrow {

// exit() runs the handlers and destructors of all libraries while threads go
// on. A thread that still computes then uses destroyed objects. So if threads
// of ours still work, our handler flushes the C streams and ends the process at
// once, with its status; no other handler runs.
//
// The handler that was registered last runs first, and libraries register some
// handlers when they are first used. So ours is registered when the core is
// loaded and again while work goes on: at the 1st, 2nd, 4th, 8th, ... call of
// guardExitAgain(), which every step makes.
void guardExit();
void guardExitAgain();

// The process is about to call exit(): all tasks of all environments stop as
// if they were aborted, and the handler is registered once more.
void beginExit();
bool isExiting();

// Counts the threads that may use LibTorch. A thread counts from before its
// start until it was joined, or until it never uses a library again.
void countThread();
void uncountThread();

struct CountedThread {
  CountedThread() { countThread(); }
  ~CountedThread() { uncountThread(); }
  CountedThread(const CountedThread&) = delete;
  CountedThread& operator=(const CountedThread&) = delete;
};

}  // namespace splitgrow
