// The end of a process that does not hear a signal.
#pragma once

#include <string>

namespace splitgrow {

// Node.js tells of a signal when its event loop turns: not while JavaScript
// calculates, nor in a native call on its thread. From the first SIGINT,
// SIGTERM or SIGUSR1 on, the process ends once the calling thread has spent
// `busyMs` of CPU time without a beat(): with 128 plus the signal's number,
// after `words` on standard error. Handlers that are there run as before; a
// signal without one is left to the system. Time in which the thread waits (for
// a disk, or stopped) does not count. Always the same thread must call. False
// where a watch is on already, or none can be made.
bool beginWatch(const std::string& words, long busyMs);

// The event loop turns: the time counts from here.
void beat();

// Signals have their own handlers alone again.
void endWatch();

}  // namespace splitgrow
