// From a file's bytes to upright pixels of the size that is asked for.
#pragma once

#include <memory>

#include "images/image.h"
#include "images/jpeg.h"
#include "images/resample.h"
#include "images/sample.h"

namespace splitgrow {

// For one thread at a time.
class ImageReader {
 public:
  // `isScaled`: JPEGs may be decoded 2, 4 or 8 times smaller, if they are still
  // at least as large as what is asked for.
  ImageReader(const ImageLimits& limits, bool isScaled)
      : limits_(limits), isScaled_(isScaled) {}

  // `view` of the upright picture as width x height pixels of three bytes.
  // Returns the decoder's warning, or nothing. Throws Error{E_DATA} without the
  // file's name, which the caller knows.
  std::string read(Bytes file, const ImageHeader& header, const View& view,
                   int width, int height, uint8_t* to);
  // Decodes every pixel, as read() does.
  std::string check(Bytes file, const ImageHeader& header);
  const ImageLimits& limits() const { return limits_; }

 private:
  Pixels decode(Bytes file, const ImageHeader& header, const Rect& region,
                int shrink);

  ImageLimits limits_;
  bool isScaled_;
  std::unique_ptr<JpegDecoder> jpeg_;
  Resampler resampler_;
  Buffer packed_, png_, turned_;
};

}  // namespace splitgrow
