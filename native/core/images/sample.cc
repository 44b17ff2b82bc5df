// Random resized crop, shifting and the centre crop, with torchvision's
// rounding.
#include "images/sample.h"

#include <algorithm>
#include <cmath>

#include "tensor/random.h"

namespace splitgrow {

namespace {

// Numbers of one image of one pass: a counter, scrambled with both.
class Draws {
 public:
  Draws(uint64_t seed, int64_t position)
      : key_(scrambled(scrambled(seed) ^ static_cast<uint64_t>(position))) {}
  // In [0, 1), 53 bits.
  double unit() {
    return static_cast<double>(scrambled(key_ + next_++) >> 11) * 0x1p-53;
  }
  double between(double least, double most) {
    return least + (most - least) * unit();
  }
  // 0 to most.
  int upTo(int most) { return static_cast<int>(unit() * (most + 1.0)); }

 private:
  uint64_t key_, next_ = 0;
};

// Python's round(): halves to the even neighbour.
int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

View cropped(int x, int y, int width, int height) {
  const Rect rect{x, y, width, height};
  return {{static_cast<double>(x), static_cast<double>(y),
           static_cast<double>(width), static_cast<double>(height)},
          rect};
}

// Szegedy et al. 2015, as torchvision's RandomResizedCrop: ten tries, then the
// middle with the nearest ratio allowed.
View resizedCrop(int width, int height, const ResizedCrop& o, Draws* draws) {
  const double area = static_cast<double>(width) * height;
  const double least = std::log(o.leastRatio), most = std::log(o.mostRatio);
  for (int i = 0; i < 10; ++i) {
    const double wanted = area * draws->between(o.leastArea, 1);
    const double ratio = std::exp(draws->between(least, most));
    const int w = rounded(std::sqrt(wanted * ratio));
    const int h = rounded(std::sqrt(wanted / ratio));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const int y = draws->upTo(height - h);
    const int x = draws->upTo(width - w);
    return cropped(x, y, w, h);
  }
  int w = width, h = height;
  const double ratio = static_cast<double>(width) / height;
  if (ratio < o.leastRatio)
    h = std::clamp(rounded(width / o.leastRatio), 1, height);
  else if (ratio > o.mostRatio)
    w = std::clamp(rounded(height * o.mostRatio), 1, width);
  return cropped((width - w) / 2, (height - h) / 2, w, h);
}

// A crop at (x, y) of the picture resized to w x h, in pixels of the picture.
View ofResized(int width, int height, int w, int h, int x, int y,
               int resolution) {
  const double across = static_cast<double>(width) / w;
  const double down = static_cast<double>(height) / h;
  return {{x * across, y * down, resolution * across, resolution * down},
          {0, 0, width, height}};
}

}  // namespace

Rect resizedTo(int width, int height, int shortSide) {
  // A line of many pixels would be longer than any number here.
  constexpr double kMost = 1 << 30;
  const double factor = shortSide;
  const auto longer = [&](double side, double shorter) {
    return static_cast<int>(std::min(factor * side / shorter, kMost));
  };
  if (width <= height) return {0, 0, shortSide, longer(height, width)};
  return {0, 0, longer(width, height), shortSide};
}

View centreView(int width, int height, int resolution, int shortSide) {
  const Rect r = resizedTo(width, height, shortSide);
  return ofResized(width, height, r.width, r.height,
                   rounded((r.width - resolution) / 2.0),
                   rounded((r.height - resolution) / 2.0), resolution);
}

View trainingView(int width, int height, int resolution, int shortSide,
                  const Augment& augment, uint64_t seed, int64_t position) {
  Draws draws(seed, position);
  const bool flip = augment.flip && draws.unit() < 0.5;
  View view;
  if (augment.resizedCrop) {
    view = resizedCrop(width, height, *augment.resizedCrop, &draws);
  } else if (augment.shift) {
    const Rect r = resizedTo(width, height, shortSide);
    const int y = draws.upTo(r.height - resolution);
    const int x = draws.upTo(r.width - resolution);
    view = ofResized(width, height, r.width, r.height, x, y, resolution);
  } else {
    view = centreView(width, height, resolution, shortSide);
  }
  view.flip = flip;
  return view;
}

}  // namespace splitgrow
