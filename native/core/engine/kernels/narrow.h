// Loops of layers that are wide enough to gain by bfloat16: what they multiply
// is rounded to it, two numbers in a word of 32 bits; sums are float32. Words
// stand in memory for floats, so that vectors of both have one size.
#pragma once

#include "engine/kernels/kernels.h"

namespace splitgrow::engine {

// w[output * row + tap] = sum over steps of both numbers of d[output * plane +
// step] * x[group][step][tap of the group]. `plane`, `group` and `row` are in
// vectors, steps in words of d and vectors of x.
struct NarrowOuter {
  const float* d = nullptr;
  int64_t plane = 0, outputs = 0;
  const float* x = nullptr;
  int64_t group = 0, groups = 0, steps = 0;
  float* w = nullptr;
  int64_t row = 0;
  bool adds = false;  // to what is there
};

struct NarrowLoops {
  const char* name;
  // A product has a multiple of `pairs` pairs of taps, and its packed weights a
  // multiple of `outputs` outputs. Those behind the last are 0.
  int64_t pairs, outputs;
  int64_t pairsOf(int64_t taps) const {
    return ((taps + 1) / 2 + pairs - 1) / pairs * pairs;
  }
  int64_t packedWords(int64_t outputs_, int64_t taps) const {
    return (outputs_ + outputs - 1) / outputs * outputs * pairsOf(taps);
  }

  // Words of n vectors of a and b, lane by lane; b may be null: 0.
  void (*pairRows)(const float* a, const float* b, int64_t n, float* to);
  // Words of vectors 2 j and 2 j + 1 of a row of n; 0 behind the end.
  void (*pairPositions)(const float* row, int64_t n, float* to);
  // The words of pairPositions of as many rows as a vector has lanes: word i of
  // vector j * lanes + lane is that of row i. Rows from `count` on are 0.
  void (*turn)(const float* rows, int64_t plane, int64_t count, int64_t n,
               float* to);
  // Weights [outputs][taps] (isTurned: [taps][outputs]) in the order of the
  // products here: packedWords of two taps each, 0 behind the last.
  void (*packWeights)(const float* w, int64_t outputs, int64_t taps,
                      bool isTurned, float* to);

  // As in Table, with words for numbers: taps are pairs.
  void (*forward)(const Product&, const float* biases, const Moments&);
  void (*backward)(const Product&, const Back&);
  void (*outer)(const NarrowOuter&);
};

// Whether both give the same bits for products of small whole numbers, whose
// sums have no rounding.
bool agree(const NarrowLoops& a, const NarrowLoops& b);

// Null where the processor, or SPLITGROW_ENGINE, leaves them out.
const NarrowLoops* pickNarrow();

}  // namespace splitgrow::engine
