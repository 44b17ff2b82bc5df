// Antialiased bilinear resizing of a part of a picture, and its orientation.
#pragma once

#include <cstdint>
#include <vector>

#include "images/image.h"

namespace splitgrow {

// A part of a picture, in pixels that may be cut.
struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

// One axis: which pixels an output takes, and how much of each. Every output
// takes `taps` pixels, some of them 0 times.
struct Axis {
  int64_t taps = 0;
  std::vector<int32_t> first;
  std::vector<float> weights;
  int32_t from = 0, to = 0;  // pixels that are taken at all
};

// The triangle of Pillow's and PyTorch's antialiased bilinear resizing:
// [start, start + length) to `size` outputs, from pixels [least, most).
void weigh(double start, double length, int size, int least, int most,
           Axis* axis);

class Resampler {
 public:
  // `box` of `from` to width x height pixels of three bytes. No pixel outside
  // `bounds` is taken. Both are in pixels of `from`.
  void resample(const Pixels& from, const Box& box, const Rect& bounds,
                int width, int height, uint8_t* to);

 private:
  Axis across_, down_;
  std::vector<float> sums_;
};

// Pixels of three bytes, width x height as stored, turned upright; mirrored
// where `flip` is set. `to` is another place.
void turnUpright(const ImageHeader& header, bool flip, const uint8_t* from,
                 int width, int height, uint8_t* to);

}  // namespace splitgrow
