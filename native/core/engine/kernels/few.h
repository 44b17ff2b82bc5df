// Loops of the CPU engine over maps of few images with channels innermost:
// [image][pixel][channel], the channels filled up to whole vectors. The row of
// a pixel is all of its channels. Pointers and rows of what is written are
// aligned to a vector, sizes in floats.
#pragma once

#include <cstdint>

#include "tensor/kernels/kernels.h"

namespace splitgrow::engine::few {

// Rows that a window reads for each row of an output.
struct Windows {
  const float* x = nullptr;
  // [row of the output][tap]: floats from x to a row; negative: padding. Null:
  // one tap, and row r is `step` * r floats from x.
  const int32_t* places = nullptr;
  int64_t taps = 1, step = 0;
  const float* zeros = nullptr;  // a row for the padding
};

// y[row][output] = bias + sum over taps and channels of weights[tap][channel]
// [output] * x[place of row and tap][channel], for rows [from, to).
struct Dense {
  Windows windows;
  int64_t first = 0, channels = 0;  // of the input
  const float* weights = nullptr;
  const float* biases = nullptr;
  int64_t vectors = 0;  // of outputs: at most PixelLoops::tile
  int64_t from = 0, to = 0;
  float* y = nullptr;
  int64_t step = 0;  // from row to row of y
};

// A window over an image of hi x wi pixels.
struct Window {
  int64_t kernel = 1, stride = 1, padding = 0;
  int64_t hi = 0, wi = 0, ho = 0, wo = 0;
};

// One row of pixels of a map; `step` floats a pixel in both maps.
struct Line {
  Window window;
  const float* x = nullptr;  // the image
  int64_t step = 0;
  int64_t at = 0;      // which row of the output
  float* y = nullptr;  // where it begins
};

struct PixelLoops {
  int64_t tile;  // vectors of outputs of Dense
  // Multiply-adds of an image up to which a pass is faster than by ATen.
  double mostWork;
  void (*dense)(const Dense&);
  // Each channel with weights [tap][step] of its own; `zeros` is a row.
  void (*depthwise)(const Line&, const float* weights, const float* biases,
                    const float* zeros);
  // Places of the padding count for the mean, and not for the largest, as in
  // LibTorch; of several, the last NaN.
  void (*maxPool)(const Line&);
  void (*avgPool)(const Line&);
  // The mean over `rows` rows.
  void (*mean)(const float* x, int64_t rows, int64_t step, float* y);
  // y = scale * x + shift, by channel
  void (*affine)(const float* x, int64_t rows, int64_t step, const float* scale,
                 const float* shift, float* y);
  void (*add)(const float* x, int64_t count, float* y);  // to y
  // y = act(y) for `count` floats of each row.
  void (*act)(Act act, float* y, int64_t rows, int64_t count, int64_t step);
};

}  // namespace splitgrow::engine::few
