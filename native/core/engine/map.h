// What a pass keeps of the value of a node: a map with images innermost.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/kernels/kernels.h"

namespace splitgrow::engine {

// Sums over parts of a map: each unit of work that writes the map has a part.
// They are added in the order of the parts.
struct PartSums {
  int64_t parts = 0;
  std::vector<double> values;  // [part][channel][2]
  std::vector<float> pivots;   // [part][channel]
  std::vector<double> counts;  // [part], numbers a channel
  void resize(int64_t parts_, int64_t channels);
};

// A map as it is stored: z. Its readers see act((z - mean) * scale + shift):
// the batch norm behind it is applied in reading, and its activation with it.
// Nothing else of a node is stored. g is dL/du, u the argument of act; and
// dL/dz = a g + b (z - mean) + c.
struct Map {
  int64_t channels = 0, height = 1, width = 1;
  int64_t pixels() const { return height * width; }
  // Vectors from channel to channel, an odd number, and from block to block: of
  // z, and of g, which may lie where the derivative of another map was.
  int64_t plane = 1, block = 0, blockBack = 0;
  float* z = nullptr;
  float* g = nullptr;
  int norm = -1;         // node of the batch norm behind it; -1: none
  bool hasBias = false;  // its producer adds a bias that is trained
  // g is the derivative behind the activation `outer`, which all readers apply:
  // so splitting wants it.
  bool isOuter = false;
  Act outer = Act::kIdentity;
  std::vector<float> mean, scale, shift, a, b, c;  // by channel
  std::vector<double> center, inverse;             // of the minibatch
  double count = 0;                                // numbers a channel
  PartSums moments, derivatives;

  bool needsSums() const { return norm >= 0 || hasBias; }
};

// How a node reads a map.
struct View {
  int map = 0;
  Act act = Act::kIdentity;
};

}  // namespace splitgrow::engine
