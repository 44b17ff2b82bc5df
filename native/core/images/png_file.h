// The chunks of a PNG, and what those around the pixels say.
#pragma once

#include <cstdint>

#include "images/image.h"

namespace splitgrow {

constexpr size_t kPngSignature = 8;  // bytes

// A big-endian number of four bytes.
inline uint32_t pngNumber(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 |
         p[3];
}

struct PngChunk {
  Bytes type, data;
  bool isWhole = false;  // the file does not end within it
  bool isSound = false;  // its checksum is right
  bool is(const char* name) const;
  bool hasName() const;  // of letters, digits and low lines, as every chunk
};

// Goes through a PNG's chunks.
class PngChunks {
 public:
  explicit PngChunks(Bytes file) : file_(file) {}
  // False where the file ends before the next chunk's data.
  bool next(PngChunk* chunk);

 private:
  Bytes file_;
  size_t at_ = kPngSignature;
};

struct PngFormat {
  int depth = 0, colour = 0;
  bool isInterlaced = false;
  int samples() const;
  int bits() const { return depth * samples(); }  // of a pixel
};
// Throws Error{E_DATA} where no PNG has it.
PngFormat pngFormatOf(Bytes ihdr);

}  // namespace splitgrow
