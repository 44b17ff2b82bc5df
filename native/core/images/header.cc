// What a file is, by its first bytes; orientations.
#include <algorithm>

#include "../error.h"
#include "formats.h"

namespace splitgrow {

namespace {

void checkSize(const ImageHeader& header, const ImageLimits& limits) {
  require(header.width > 0 && header.height > 0, "E_DATA", "it is ",
          header.width, " x ", header.height, " pixels large");
  require(int64_t{header.width} * header.height <= limits.pixels, "E_DATA",
          "it has ", header.width, " x ", header.height,
          " pixels; the limit is ", limits.pixels, " (maxPixels)");
}

bool readAny(Bytes bytes, bool isWhole, const ImageLimits& limits,
             ImageHeader* header) {
  require(!bytes.empty() || !isWhole, "E_DATA", "the file is empty");
  bool isKnown = false;
  if (isJpeg(bytes)) {
    isKnown = readJpegHeader(bytes, isWhole, limits, header);
  } else if (isPng(bytes)) {
    isKnown = readPngHeader(bytes, isWhole, header);
  } else {
    require(bytes.size() < 8 && !isWhole, "E_DATA",
            "it is neither a JPEG nor a PNG");
  }
  if (isKnown) checkSize(*header, limits);
  return isKnown;
}

}  // namespace

bool readHeader(Bytes start, const ImageLimits& limits, ImageHeader* header) {
  *header = {};
  return readAny(start, false, limits, header);
}

ImageHeader readWholeHeader(Bytes file, const ImageLimits& limits) {
  ImageHeader header;
  require(readAny(file, true, limits, &header), "E_DATA",
          "it ends within its header");
  return header;
}

int orientationIn(Bytes tiff) {
  const auto number = [&](size_t at, size_t size) -> uint32_t {
    if (at > tiff.size() || tiff.size() - at < size) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      const bool isLittle = tiff[0] == 'I';
      value = value << 8 | tiff[at + (isLittle ? size - 1 - i : i)];
    }
    return value;
  };
  if (tiff.size() < 14 || tiff[0] != tiff[1]) return 1;
  if (tiff[0] != 'I' && tiff[0] != 'M') return 1;
  if (number(2, 2) != 42) return 1;
  const size_t directory = number(4, 4);
  const uint32_t entries = number(directory, 2);
  constexpr size_t kEntry = 12;
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + i * kEntry;
    if (at + kEntry > tiff.size()) break;
    if (number(at, 2) != 0x0112) continue;
    const uint32_t value = number(at + 8, 2);
    return number(at + 2, 2) == 3 && value >= 1 && value <= 8
               ? static_cast<int>(value)
               : 1;
  }
  return 1;
}

Rect toStored(const ImageHeader& header, const Rect& upright) {
  Rect r = upright;
  if (header.isTurned()) {
    std::swap(r.x, r.y);
    std::swap(r.width, r.height);
  }
  if (header.isMirroredX()) r.x = header.width - r.x - r.width;
  if (header.isMirroredY()) r.y = header.height - r.y - r.height;
  return r;
}

}  // namespace splitgrow
