// Which part of a picture becomes the network's input: all random choices
// from the pass's seed and the image's position in its order.
#pragma once

#include <cstdint>

#include "images/image.h"
#include "images/resample.h"
#include "train/data.h"

namespace splitgrow {

// Of an upright picture: the part, and the pixels that may be looked at around
// it (a crop that is taken before resizing sees none).
struct View {
  Box box;
  Rect bounds;
  bool flip = false;
};

// A picture's sides once its shorter one is `shortSide`.
Rect resizedTo(int width, int height, int shortSide);

// Evaluation: the shorter side to `shortSide`, the middle resolution^2.
View centreView(int width, int height, int resolution, int shortSide);

// As `augment` has it; the centre where it says nothing of crops.
View trainingView(int width, int height, int resolution, int shortSide,
                  const Augment& augment, uint64_t seed, int64_t position);

}  // namespace splitgrow
