// What a rank says before it ends because a thread that is not ours threw.
#pragma once

#include <exception>
#include <string>

namespace splitgrow {

// The text without the place in gloo's sources that it begins with.
std::string firstLine(const std::exception& error);

// A thread of Gloo throws if ranks send each other unequal sizes, and nobody
// can catch that. After this call it ends the process with one line and exit
// code 1 instead of SIGABRT.
void speakBeforeTerminating(int rank);

}  // namespace splitgrow
