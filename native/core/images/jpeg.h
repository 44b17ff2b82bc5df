// Decodes JPEGs by libjpeg-turbo, and of each only the part that is wanted.
#pragma once

#include <cstdint>
#include <vector>

#include "images/image.h"
#include "images/turbojpeg.h"

namespace splitgrow {

// For one thread at a time.
class JpegDecoder {
 public:
  explicit JpegDecoder(const ImageLimits& limits) : limits_(limits) {}

  // The pixels of `region` (of the stored picture) and some around it, made
  // `shrink` (1, 2, 4 or 8) times smaller by taking fewer DCT coefficients.
  // They are valid until the next call. If the library warns but decodes, the
  // first warning comes with the pixels. Throws Error{E_DATA}.
  Pixels decode(Bytes file, const ImageHeader& header, const Rect& region,
                int shrink);

 private:
  void begin();
  Pixels decodeWhole(Bytes file, const ImageHeader& header, const Rect& region,
                     int shrink);
  void require(int code);
  turbo::Region place(const ImageHeader& header, const Rect& region,
                      int shrink) const;

  ImageLimits limits_;
  // A new decoder for every image: a file without tables would get those of the
  // image before.
  turbo::Instance instance_{nullptr, nullptr};
  Buffer pixels_, ended_;
  std::string warning_;
};

// For one thread at a time.
class JpegEncoder {
 public:
  explicit JpegEncoder(int quality);
  // Pixels of 3 bytes, red, green, blue, or of 1, grey. Chroma is halved in
  // both directions.
  std::vector<uint8_t> encode(const uint8_t* pixels, int width, int height,
                              int channels);

 private:
  turbo::Instance instance_;
};

}  // namespace splitgrow
