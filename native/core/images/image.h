// Pictures on their way from a file to the network: headers, limits, pixels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "images/zlib.h"

namespace splitgrow {

enum class ImageKind : uint8_t { kUnreadable = 0, kJpeg = 1, kPng = 2 };

struct ImageLimits {
  int64_t pixels = 0;
  int64_t scans = 0;
};

// What is known of a picture before a pixel of it is decoded.
struct ImageHeader {
  ImageKind kind = ImageKind::kUnreadable;
  int width = 0, height = 0;  // as stored
  int channels = 0;           // 1 to 4
  int orientation = 1;        // EXIF's 1 to 8
  int unitWidth = 8;          // JPEG: pixels of a coded unit
  bool hasEnd = true;         // JPEG: the marker that ends it is there
  bool isLossless = false;    // JPEG: without DCT
  // Whether the picture lies on its side: orientations 5 to 8.
  bool isTurned() const { return orientation > 4; }
  // Whether the stored rows, or columns, run against the upright ones.
  bool isMirroredX() const {
    return orientation == 2 || orientation == 3 || orientation > 6;
  }
  bool isMirroredY() const {
    return orientation == 3 || orientation == 4 || orientation == 6 ||
           orientation == 7;
  }
  int uprightWidth() const { return isTurned() ? height : width; }
  int uprightHeight() const { return isTurned() ? width : height; }
};

struct Rect {
  int x = 0, y = 0, width = 0, height = 0;
};

// A rectangle of the upright picture of `header`, turned to where it lies in
// the stored one.
Rect toStored(const ImageHeader& header, const Rect& upright);

// Memory that only grows, so that decoding does not allocate it every time.
class Buffer {
 public:
  uint8_t* atLeast(size_t size) {
    if (size > size_) {
      bytes_.reset();
      bytes_.reset(new uint8_t[size]);
      size_ = size;
    }
    return bytes_.get();
  }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
};

// Decoded pixels: rows of four bytes a pixel, red, green, blue, anything.
struct Pixels {
  const uint8_t* data = nullptr;
  int64_t stride = 0;  // bytes
  int width = 0, height = 0;
  // Where the first pixel lies in the stored picture made `shrink` times
  // smaller.
  int left = 0, top = 0;
  int shrink = 1;
  // A warning of the decoder, which gives all pixels nevertheless; empty: none.
  std::string warning;
};

// Reads the header from the first bytes of a file. Returns false if more of the
// file is needed. Throws Error{E_DATA} if it is neither a JPEG nor a PNG, is
// damaged, is of a kind that is not read, or is beyond the limits.
bool readHeader(Bytes start, const ImageLimits& limits, ImageHeader* header);
// Of a whole file: checks its structure to the end as well.
ImageHeader readWholeHeader(Bytes file, const ImageLimits& limits);

}  // namespace splitgrow
