// The journal of a store that is being written. It says which images are on the
// disk for good, so that an interrupted run can go on after them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "images/files.h"

namespace splitgrow {

// The outcome for one file: an image of the store, or a reason.
struct PackedImage {
  uint32_t bytes = 0, crc = 0;
  int32_t width = 0, height = 0;
  std::string reason;  // not empty: it was left out
};

class Journal {
 public:
  // Opens or creates `path` for this process alone. Reads what a run with the
  // same `key` left, and forgets what any other run left. Throws
  // Error{E_WRITE}.
  Journal(std::string path, uint64_t key);

  const std::vector<PackedImage>& done() const { return done_; }
  bool wasThere() const { return wasThere_; }
  // Whether there was a journal, of this or of other files and options.
  bool isOurs() const { return isOurs_; }
  // Starts over: nothing is done.
  void clear();
  // `images` follow those done; they are durable when this returns.
  void add(const std::vector<PackedImage>& images);
  void remove();

 private:
  void read();
  std::string path_;
  uint64_t key_;
  File file_;
  bool wasThere_ = false, isOurs_ = false;
  std::vector<PackedImage> done_;
};

}  // namespace splitgrow
