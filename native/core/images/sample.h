// Which part of a picture becomes the network's input. All random choices
// follow from the seed of the pass and the image's position in its order.
#pragma once

#include <cstdint>

#include "images/image.h"
#include "images/resample.h"
#include "train/data.h"

namespace splitgrow {

// A part of an upright picture, and the pixels around it that resizing may read
// (none for a crop that is taken before resizing).
struct View {
  Box box;
  Rect bounds;
  bool flip = false;
};

// A picture's sides once its shorter one is `shortSide`.
Rect resizedTo(int width, int height, int shortSide);

// Evaluation: the shorter side to `shortSide`, the middle resolution^2.
View centreView(int width, int height, int resolution, int shortSide);

// The crop that `augment` asks for; the centre if it asks for none.
View trainingView(int width, int height, int resolution, int shortSide,
                  const Augment& augment, uint64_t seed, int64_t position);

}  // namespace splitgrow
