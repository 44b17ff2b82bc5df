// The end of the process while threads of ours still work.
#pragma once

namespace splitgrow {

// exit() runs the handlers and destructors of all libraries while threads go
// on: a thread that computes then uses what is gone. So where threads of ours
// still work, exit() flushes the C streams and ends the process at once, with
// its status, and runs no more handlers.
//
// The handler registered last runs first. Libraries register some of theirs
// when they are first used, so ours is registered again while work goes on:
// when the core is loaded, and at the 1st, 2nd, 4th, 8th, ... call of
// guardExitAgain(), which every step makes.
void guardExit();
void guardExitAgain();

// The process is about to call exit(): all tasks of all environments stop as
// if they were aborted, and the handler is registered once more.
void beginExit();
bool isExiting();

// Threads that may use LibTorch: counted before they start, until they have
// ended (were joined), or leave for good what libraries own.
void countThread();
void uncountThread();

struct CountedThread {
  CountedThread() { countThread(); }
  ~CountedThread() { uncountThread(); }
  CountedThread(const CountedThread&) = delete;
  CountedThread& operator=(const CountedThread&) = delete;
};

}  // namespace splitgrow
