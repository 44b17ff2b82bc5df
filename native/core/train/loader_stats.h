// What a dataset that decodes has done so far in a pass.
#pragma once

#include <cstdint>
#include <string>

namespace splitgrow {

struct LoaderStats {
  int64_t images = 0;   // decoded by this rank
  int64_t skipped = 0;  // left out: they could not be decoded
  int64_t warned = 0;   // decoded, though the decoder warns of them
  // Name and reason of the first of each in the order of the pass.
  std::string firstSkipped = {}, firstWarned = {};
  double decodeSeconds = 0;  // of all workers together
  double waited = 0;         // seconds that piece() waited for them
};

}  // namespace splitgrow
