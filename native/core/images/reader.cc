// Decodes no more of a picture than its view needs.
#include "images/reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "images/formats.h"

namespace splitgrow {

namespace {

// The pixels that an antialiased triangle over `box` may take.
Rect reachOf(const View& view, int width, int height) {
  const auto axis = [](double start, double length, int size, int least,
                       int count, int* from, int* to) {
    const double reach = std::max(length / size, 1.0) + 1;
    *from = std::clamp(static_cast<int>(std::floor(start - reach)), least,
                       least + count - 1);
    *to = std::clamp(static_cast<int>(std::ceil(start + length + reach)),
                     *from + 1, least + count);
  };
  const Rect& b = view.bounds;
  int left = 0, right = 0, top = 0, bottom = 0;
  axis(view.box.x, view.box.width, width, b.x, b.width, &left, &right);
  axis(view.box.y, view.box.height, height, b.y, b.height, &top, &bottom);
  return {left, top, right - left, bottom - top};
}

Box toStored(const ImageHeader& header, const Box& upright) {
  Box b = upright;
  if (header.isTurned()) {
    std::swap(b.x, b.y);
    std::swap(b.width, b.height);
  }
  if (header.isMirroredX()) b.x = header.width - b.x - b.width;
  if (header.isMirroredY()) b.y = header.height - b.y - b.height;
  return b;
}

int shrinkOf(const Box& box, int width, int height) {
  int shrink = 1;
  while (shrink < 8 && box.width >= 2.0 * shrink * width &&
         box.height >= 2.0 * shrink * height)
    shrink *= 2;
  return shrink;
}

// The part of `bounds` (in the stored picture) that lies within `pixels`, in
// the coordinates of `pixels`.
Rect within(const Pixels& pixels, const Rect& bounds) {
  const auto axis = [&](int from, int count, int origin, int size, int* start,
                        int* length) {
    const int first = from / pixels.shrink - origin;
    const int last =
        (from + count + pixels.shrink - 1) / pixels.shrink - origin;
    *start = std::clamp(first, 0, size - 1);
    *length = std::clamp(last, *start + 1, size) - *start;
  };
  Rect r;
  axis(bounds.x, bounds.width, pixels.left, pixels.width, &r.x, &r.width);
  axis(bounds.y, bounds.height, pixels.top, pixels.height, &r.y, &r.height);
  return r;
}

}  // namespace

Pixels ImageReader::decode(Bytes file, const ImageHeader& header,
                           const Rect& region, int shrink) {
  if (header.kind == ImageKind::kPng)
    return decodePng(file, header, &packed_, &png_);
  if (jpeg_ == nullptr) jpeg_ = std::make_unique<JpegDecoder>(limits_);
  return jpeg_->decode(file, header, region, shrink);
}

std::string ImageReader::read(Bytes file, const ImageHeader& header,
                              const View& view, int width, int height,
                              uint8_t* to) {
  const int across = header.isTurned() ? height : width;
  const int down = header.isTurned() ? width : height;
  const Box box = toStored(header, view.box);
  const Rect bounds = toStored(header, view.bounds);
  const Pixels pixels =
      decode(file, header, toStored(header, reachOf(view, width, height)),
             isScaled_ ? shrinkOf(box, across, down) : 1);
  const double shrink = pixels.shrink;
  const Box there{box.x / shrink - pixels.left, box.y / shrink - pixels.top,
                  box.width / shrink, box.height / shrink};
  const bool isReady = header.orientation == 1 && !view.flip;
  uint8_t* place = isReady ? to : turned_.atLeast(size_t{3} * across * down);
  resampler_.resample(pixels, there, within(pixels, bounds), across, down,
                      place);
  if (!isReady) turnUpright(header, view.flip, place, across, down, to);
  return pixels.warning;
}

std::string ImageReader::check(Bytes file, const ImageHeader& header) {
  return decode(file, header, {0, 0, header.width, header.height}, 1).warning;
}

}  // namespace splitgrow
