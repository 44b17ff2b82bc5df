// One file as it goes into a store.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "images/journal.h"
#include "images/reader.h"
#include "images/source.h"

namespace splitgrow {

struct PackedBytes {
  PackedImage image;
  std::vector<uint8_t> bytes;
};

// For one thread at a time.
class ImagePacker {
 public:
  // `shortSide` 0: the bytes as they are, if they decode without a fault. Else
  // an upright JPEG whose shorter side is at most `shortSide`; a file that is
  // one already stays as it is.
  ImagePacker(const ImageLimits& limits, int shortSide, int quality);
  // A file that cannot be read has a reason and no bytes.
  PackedBytes pack(const ImageFiles& files, int64_t index);

 private:
  std::vector<uint8_t> packed(Bytes file, const ImageHeader& header,
                              PackedImage* image);
  ImageReader reader_;
  int shortSide_, quality_;
  std::unique_ptr<JpegEncoder> encoder_;
  Buffer buffer_, pixels_;
};

}  // namespace splitgrow
