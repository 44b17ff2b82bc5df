// Orientation in a PNG: EXIF in a chunk of its own, or EXIF and XMP as texts.
#pragma once

#include <vector>

#include "images/png_file.h"

namespace splitgrow {

class PngTexts {
 public:
  // Keeps what the chunk says, if it is of a kind that may say it.
  void read(const PngChunk& chunk);
  int orientation() const;

 private:
  void take(Bytes key, Bytes value, bool isPlain);

  std::vector<uint8_t> exif_, profile_, xmp_;
  bool hasExif_ = false;
};

}  // namespace splitgrow
