// Places in one stretch of memory for values that live at different times.
#pragma once

#include <cstdint>
#include <vector>

namespace splitgrow::engine {

// A value of `size` units that lives from time `from` to time `to`, both
// included.
struct Life {
  int64_t size = 0, from = 0, to = 0;
};
struct Places {
  std::vector<int64_t> at;  // of each value
  int64_t size = 0;
};

// Two values that live at the same time never overlap. Each value goes to the
// first gap that takes it, the earliest value first.
Places placesOf(const std::vector<Life>& lives);

}  // namespace splitgrow::engine
