// What a file is, by its first bytes; orientations.
#include <algorithm>

#include "images/formats.h"
#include "tensor/error.h"

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
