// Seconds since a moment.
#pragma once

#include <chrono>

namespace splitgrow {

using Clock = std::chrono::steady_clock;

inline double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace splitgrow
