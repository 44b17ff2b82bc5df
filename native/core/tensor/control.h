// What running work reports and asks: its progress, and whether it was aborted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tensor/error.h"
#include "tensor/exit.h"

namespace splitgrow {

using AbortFlag = std::atomic<bool>;

// What a dataset that decodes has done so far in a pass.
struct LoaderStats {
  int64_t images = 0;   // decoded by this rank
  int64_t skipped = 0;  // left out: they could not be decoded
  int64_t warned = 0;   // decoded, though the decoder warns of them
  // Name and reason of the first of each in the order of the pass.
  std::string firstSkipped = {}, firstWarned = {};
  double decodeSeconds = 0;  // of all workers together
  double waited = 0;         // seconds that piece() waited for them
};

struct ProgressReport {
  const char* phase = "";
  int64_t done = 0, total = 0, images = 0;
  double seconds = 0, loss = 0;
  std::optional<LoaderStats> loader = {};
};

struct Control {
  // JavaScript gets at most ten reports a second.
  std::function<void(const ProgressReport&)> report;
  std::shared_ptr<AbortFlag> abort, closing;
  bool isAborted() const {
    return (abort && *abort) || *closing || isExiting();
  }
  // Throws Error{E_ABORTED}.
  void check() const {
    require(!isAborted(), "E_ABORTED", "the work was aborted");
  }
};

}  // namespace splitgrow
