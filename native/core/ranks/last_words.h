// What a rank says before it ends because a thread that is not ours threw.
#pragma once

#include <exception>
#include <string>

namespace splitgrow {

// Without the place in gloo's sources that its texts begin with.
std::string firstLine(const std::exception& error);

// Gloo's thread throws where ranks send each other unequal sizes, which nobody
// can catch. From now on that ends this process with one line and exit code 1
// instead of SIGABRT.
void speakBeforeTerminating(int rank);

}  // namespace splitgrow
