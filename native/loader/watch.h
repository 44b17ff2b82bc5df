// The end of a process that does not hear a signal.
#pragma once

#include <string>

namespace splitgrow {

// Node.js tells of a signal when its event loop turns: not while JavaScript
// calculates, and not in a native call on its thread. After the first SIGINT,
// SIGTERM or SIGUSR1 the process ends once the calling thread has spent
// `busyMs` of CPU time without a beat(). It writes `words` on standard error
// and ends with 128 plus the signal's number. Existing handlers run as before;
// a signal without one is left to the system. Time in which the thread waits
// (for a disk, or stopped) does not count. The same thread must make all calls.
// Returns false if there is a watch already, or if none can be made.
bool beginWatch(const std::string& words, long busyMs);

// The event loop turns: the time counts from here.
void beat();

// Ends the watch: signals have only their earlier handlers again.
void endWatch();

}  // namespace splitgrow
