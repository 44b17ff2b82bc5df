// Loops of the CPU engine over maps with images innermost: [block][channel]
// [pixel][lane], `lanes` images side by side. The same source is compiled once
// for each instruction set; pick() chooses. Sizes and strides are in vectors of
// that many floats; pointers are aligned to a vector.
#pragma once

#include <cstdint>

#include "engine/kernels/few.h"
#include "tensor/kernels/kernels.h"

namespace splitgrow::engine {

// How the stored numbers z of one channel are read: act((z - mean) * scale +
// shift). `u` below is the argument of act.
struct Reading {
  Act act = Act::kIdentity;
  float mean = 0, scale = 1, shift = 0;
};

// Positions of a window: rows x columns, and the vectors between two.
struct Grid {
  int64_t rows = 0, columns = 0;
};
struct Steps {
  int64_t row = 0, column = 1;
};

// What a tile of sums is made of: y[o][position] = sum over j < taps of
// weights[tile of o][j][o in the tile] * x[offsets[j] + position].
struct Product {
  const float* x = nullptr;
  const int32_t* offsets = nullptr;
  int64_t taps = 0;
  const float* weights = nullptr;
  int64_t outputs = 0;
  Grid grid;
  Steps from;
  float* y = nullptr;
  int64_t plane = 0;  // of y, from output to output
  Steps to;
};

// Sums of what is written, about a pivot: sum of v - pivot and of its square,
// two vectors an output. The first call for an output takes its first number as
// the pivot.
struct Moments {
  float* sums = nullptr;    // null: none are wanted
  float* pivots = nullptr;  // one an output
  bool isFirst = true;
};

// What becomes of a sum that is a derivative for a reader of z: g = d *
// act'(u), or g + that.
struct Back {
  const float* first = nullptr;  // act'(u) by position; null: 1
  Steps firstStep;
  int64_t firstPlane = 0;
  const float* z = nullptr;      // of the position of g
  int64_t zRow = 0;              // from row to row; the rest as g
  const float* means = nullptr;  // one an output
  bool adds = false;
  float* sums = nullptr;  // sum of g, and of g (z - mean); null: none
};

// w[tile][output of the tile][tap of the tile] += sum over positions and lanes
// of d[output] * x[offsets[tap] + position].
struct Outer {
  const float* d = nullptr;
  int64_t plane = 0;
  Steps of;
  int64_t outputs = 0;
  const float* x = nullptr;
  const int32_t* offsets = nullptr;
  int64_t taps = 0;
  Steps from;
  Grid grid;
  float* w = nullptr;
};

// Tiles of 4 x 4 positions of a 3 x 3 window at stride 1, as Winograd's
// transforms read and write them: kernels/winograd.inc. Component c of tile
// (y, x) is vector (c - from) * component + y * tiles.columns + x.
struct Tiles {
  Grid tiles;
  float* components = nullptr;
  int64_t component = 0;
  int64_t pitch = 0;  // of pixels, from row to row
};
constexpr int64_t kComponents = 36;

// A depthwise convolution of one channel of one block: 3 x 3, padding 1.
struct Depthwise {
  int64_t hi = 0, wi = 0, ho = 0, wo = 0;
  const float* weights = nullptr;  // 9
  float bias = 0;
  const float* in = nullptr;
  Reading reading;
  float* out = nullptr;  // forward: written; backward: read
};
struct DepthwiseBack {
  const float* g = nullptr;             // dL/du of the output
  float mean = 0, a = 1, b = 0, c = 0;  // dz = a g + b (z - mean) + c
  const float* mask = nullptr;          // lanes that hold images; null: all
  float* gradient = nullptr;            // of `in`; null: not wanted
  bool adds = false;
  bool isOuter = false;   // without act'(u)
  float* sums = nullptr;  // of it, 2 vectors; null: none
  // 9 vectors: gradients of the weights, by lane; null: not wanted
  float* weights = nullptr;
};

struct Pool {
  int64_t kernel = 1, stride = 1, padding = 0;
  int64_t hi = 0, wi = 0, ho = 0, wo = 0;
};

struct Table {
  const char* name;
  int64_t lanes;
  // Outputs of a tile of a product; outputs and taps of a tile of Outer.
  int64_t tile, outerOutputs, outerTaps;

  // --- rows of n vectors of one channel ---
  void (*value)(const Reading&, const float* z, int64_t n, float* out);
  void (*first)(const Reading&, const float* z, int64_t n, float* first);
  void (*both)(const Reading&, const float* z, int64_t n, float* out,
               float* first);
  // dz = a g + b (z - mean) + c, 0 in lanes outside the mask
  void (*combine)(const float* g, const float* z, int64_t n, float mean,
                  float a, float b, float c, const float* mask, float* dz);
  // g = d * act'(u) (or g + that), with Back's sums
  void (*contribute)(const Reading&, const float* z, const float* d, int64_t n,
                     bool adds, float* g, float* sums);
  // dz = da act'(u) scale, h = da act''(u) scale^2 (`constant`, if it is not 0,
  // instead of act''), both 0 outside the mask; h may be null
  void (*curvature)(const Reading&, const float* z, const float* da, int64_t n,
                    float beta, float constant, const float* mask, float* dz,
                    float* h);
  // to += value, and moments of what is written; `isFirst`: to = value
  void (*addValue)(const Reading&, const float* z, int64_t n, bool isFirst,
                   float* to);
  void (*moments)(const float* y, int64_t n, const Moments&);
  void (*multiply)(const float* a, const float* b, int64_t n, float* to);
  // The mean of the values of a row, one vector; and its derivative, `scale` *
  // one vector n times.
  void (*mean)(const Reading&, const float* z, int64_t n, float* to);
  void (*repeat)(const float* d, float scale, int64_t n, float* to);

  // --- products ---
  // y = bias + product
  void (*forward)(const Product&, const float* biases, const Moments&);
  void (*backward)(const Product&, const Back&);
  void (*scaled)(const Product&);  // y *= product
  void (*outer)(const Outer&);
  // Upper triangles of sum over positions of h[o] x[offsets[i]] x[offsets[j]].
  void (*matrices)(const Outer&);

  // --- Winograd's transforms of one channel ---
  // Components [from, to) of patches of 6 x 6 pixels, 4 from patch to patch; of
  // tiles of 4 x 4; and pixels of an output, as many as there are, from their
  // components. `from` and `to` are of 0, 6, 18, 30 and 36.
  void (*patchesOf)(const Tiles&, const float* pixels, int64_t from,
                    int64_t to);
  void (*tilesOf)(const Tiles&, const float* pixels, int64_t from, int64_t to);
  void (*pixelsOf)(const Tiles&, Grid size, float bias, float* pixels,
                   const Moments&);

  // Components of the weights of windows, in the order of a product's tile:
  // size.rows outputs, of size.columns inputs each; the window of output o and
  // input i is at o * output + i * input, `component` floats lie between two
  // components. isTurned: by half a circle.
  void (*packWindows)(const float* w, int64_t output, int64_t input, Grid size,
                      bool isTurned, float* to, int64_t component);
  // Gradients [9][n] of windows of n vectors, from parts of those of their
  // components; `part` and `component` vectors lie between two.
  void (*sumWindows)(const float* sums, int64_t parts, int64_t part,
                     int64_t component, int64_t n, float* to);

  void (*depthwise)(const Depthwise&, int64_t stride, float* scratch,
                    const Moments&);
  void (*depthwiseBack)(const Depthwise&, int64_t stride, const DepthwiseBack&,
                        float* scratch);

  void (*maxPool)(const Pool&, const float* x, float* y);
  void (*maxPoolBack)(const Pool&, const float* x, const float* g, float* d);
  void (*avgPool)(const Pool&, const float* x, float* y);
  void (*avgPoolBack)(const Pool&, const float* g, float* d);

  // --- lanes ---
  // sums[2 i], sums[2 i + 1], over the lanes of the mask (null: all), as
  // doubles
  void (*fold)(const float* sums, int64_t count, const float* mask, double* to);
  // images [n][positions of channels_last] to planes: position p of image i to
  // lane i of vector place[p]
  void (*spread)(const float* const* images, int64_t n, int64_t count,
                 const int32_t* places, float* to);
  // One block's logits [classes] by lane: losses, ranks of the labels, and the
  // derivatives of share * loss (null: not wanted).
  void (*crossEntropy)(const float* logits, int64_t plane, int64_t classes,
                       const int64_t* labels, int64_t n, float smoothing,
                       float share, double* losses, int64_t* ranks,
                       float* derivatives, int64_t derivativePlane);

  few::PixelLoops few;  // channels innermost
};

const Table& pick();
// The loops for training so many images at once: those of fewer lanes where
// half of pick()'s would stay empty.
const Table& pickFor(int64_t images);

}  // namespace splitgrow::engine
