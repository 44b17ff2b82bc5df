// Rows first, then columns, in float32: one rounding at the end.
#include "images/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/kernels/kernels.h"

namespace splitgrow {

void weigh(double start, double length, int size, int least, int most,
           Axis* axis) {
  const double scale = length / size;
  const double reach = std::max(scale, 1.0);  // half the triangle's base
  axis->taps = std::min<int64_t>(static_cast<int64_t>(std::ceil(reach)) * 2 + 1,
                                 most - least);
  axis->first.resize(size);
  axis->weights.assign(size * axis->taps, 0);
  axis->from = most;
  axis->to = least;
  for (int i = 0; i < size; ++i) {
    const double centre = start + (i + 0.5) * scale;
    const int first =
        std::max(least, static_cast<int>(std::floor(centre - reach + 0.5)));
    const int last =
        std::min(most, static_cast<int>(std::floor(centre + reach + 0.5)));
    // All taps lie within [least, most).
    const int place = std::min<int>(first, most - static_cast<int>(axis->taps));
    axis->first[i] = place;
    axis->from = std::min(axis->from, place);
    axis->to = std::max(axis->to, place + static_cast<int32_t>(axis->taps));
    float* weights = axis->weights.data() + i * axis->taps;
    double sum = 0;
    for (int x = first; x < last; ++x) {
      const double distance = std::abs(x - centre + 0.5) / reach;
      const double weight = std::max(0.0, 1 - distance);
      weights[x - place] = static_cast<float>(weight);
      sum += weight;
    }
    for (int64_t t = 0; t < axis->taps; ++t)
      weights[t] = static_cast<float>(weights[t] / sum);
  }
}

void Resampler::resample(const Pixels& from, const Box& box, const Rect& bounds,
                         int width, int height, uint8_t* to) {
  weigh(box.x, box.width, width, bounds.x, bounds.x + bounds.width, &across_);
  weigh(box.y, box.height, height, bounds.y, bounds.y + bounds.height, &down_);
  const int32_t left = across_.from;
  for (int32_t& first : across_.first) first -= left;
  const int64_t floats = int64_t{4} * (across_.to - left);
  sums_.resize(floats);
  const Kernels& loops = pickKernels();
  for (int y = 0; y < height; ++y) {
    loops.imageRow(from.data + down_.first[y] * from.stride + int64_t{4} * left,
                   from.stride, down_.weights.data() + y * down_.taps,
                   down_.taps, floats, sums_.data());
    loops.imageColumns(sums_.data(), across_.first.data(),
                       across_.weights.data(), across_.taps, width,
                       to + int64_t{3} * y * width);
  }
}

void turnUpright(const ImageHeader& header, bool flip, const uint8_t* from,
                 int width, int height, uint8_t* to) {
  // Steps in the stored picture of one step right and one down.
  const int64_t row = int64_t{3} * width;
  int64_t right = header.isMirroredX() ? -3 : 3;
  int64_t down = header.isMirroredY() ? -row : row;
  const uint8_t* corner = from + (header.isMirroredX() ? row - 3 : 0) +
                          (header.isMirroredY() ? row * (height - 1) : 0);
  int columns = width, rows = height;
  if (header.isTurned()) {
    std::swap(right, down);
    std::swap(columns, rows);
  }
  if (flip) {
    corner += right * (columns - 1);
    right = -right;
  }
  for (int y = 0; y < rows; ++y) {
    const uint8_t* pixel = corner + y * down;
    for (int x = 0; x < columns; ++x, pixel += right, to += 3)
      std::memcpy(to, pixel, 3);
  }
}

}  // namespace splitgrow
