// Convolutions of 3 x 3 at stride 1 by Winograd's F(4 x 4, 3 x 3): a quarter of
// the multiply-adds. A unit turns the values of an area of tiles into 36
// components; products of the usual kind take them to those of the outputs.
#pragma once

#include "engine/convolution.h"

namespace splitgrow::engine {

// How the tiles of a map of height x width are cut into areas.
class Areas {
 public:
  struct Area {
    int64_t y, x, rows, columns;  // tiles
    int64_t tiles() const { return rows * columns; }
  };
  Areas(int64_t height, int64_t width, int64_t most);
  int64_t count() const { return rows_.parts * columns_.parts; }
  Area at(int64_t i) const;
  int64_t tiles() const { return tiles_; }  // of the largest
  // Pixels of the largest with the border that windows reach.
  int64_t pixels() const { return pixels_; }

 private:
  Cut columns_, rows_;
  int64_t tiles_, pixels_;
};

// Vectors from component to component: an odd number.
inline int64_t componentStep(int64_t channels, int64_t tiles) {
  return channels * tiles | 1;
}

// Products of the components of `inputs` channels with weights: outputs.
struct ComponentProducts {
  ComponentProducts(const Context& context, int64_t inputs_, int64_t outputs_,
                    const Areas& areas);

  // A unit takes a range of the outputs in an area of some blocks.
  struct Unit {
    int64_t block, blocks, area;
    int64_t from, outputs;
  };
  int64_t units() const { return groups * areas.count() * ranges.parts; }
  Unit at(int64_t unit) const;
  // Tiles that have room side by side.
  int64_t plane() const { return together * areas.tiles(); }
  // Vectors for the components of a unit, and for weights that it packs.
  int64_t scratch() const;
  // Whether only one unit needs a weight: it packs those of its range itself.
  bool packsInUnit() const { return groups * areas.count() == 1; }
  // Floats from component to component of the weights: one cache line more than
  // there are, or those of a weight would push each other out of a cache.
  int64_t weightStep(int64_t count) const { return inputs * count + 16; }

  int64_t inputs, outputs;
  Areas areas;
  int64_t lanes, blocks, together, groups;
  Cut ranges;
  std::vector<float> packed;  // [component][range][tile of the product]
};

class Winograd : public Convolution {
 public:
  static constexpr int64_t kSide = 4;    // of a tile of outputs
  static constexpr int64_t kBorder = 2;  // a window reaches so far beyond it

  Winograd(Context* context, int node, const View& view, int out);
  static bool suits(const Context& context, int node, const Map& in,
                    const Map& out);

  void pack() override;
  void addForward(Stage* stage) override;
  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int which) override;
  void addFold(Stage* stage) override;

 private:
  using Area = Areas::Area;
  // Products and matrices of neurons are those of any convolution.
  bool isPlain() const {
    return wanted_ == Wanted::kProducts || wanted_ == Wanted::kMatrices;
  }
  void packAll(bool isBack, ComponentProducts* products) const;
  // Components of the weights of outputs [from, from + count).
  void packRange(bool isBack, const ComponentProducts& products, int64_t from,
                 int64_t count, float* to, int64_t step) const;
  // Pixels of a channel with 0 around them; fill(place, n, to) gives a row.
  template <class Fill>
  void readPixels(const Map& map, int64_t top, int64_t left, int64_t rows,
                  int64_t columns, float* to, Fill&& fill) const;
  void readValues(int64_t block, int64_t channel, int64_t top, int64_t left,
                  int64_t rows, int64_t columns, float* to) const;
  // Components of the derivatives that an area of the input depends on.
  void readDerivatives(int64_t block, const Area& area, int64_t from,
                       int64_t to, int64_t plane, float* x,
                       float* pixels) const;
  // Components y of the outputs of a unit, from those of its inputs, x.
  // `room`: for its weights, if it packs them itself.
  void multiply(bool isBack, const ComponentProducts::Unit& unit,
                const std::vector<int32_t>& offsets, int64_t tiles,
                int64_t plane, const float* x, float* y, float* room) const;
  void forward(int64_t unit, float* scratch);
  void inputGradients(int64_t unit, float* scratch);
  // From components y to derivatives of a block's channels.
  void contribute(int64_t block, int64_t area, int64_t from, int64_t count,
                  int64_t plane, float* y, float* scratch);

  void planWeights();
  void weightGradients(int64_t unit, float* scratch);
  void addWeights(const float* x, const float* d, int64_t from, int64_t to,
                  int64_t tiles, float* sums) const;
  void fold(int64_t u) const;

  ComponentProducts forward_, back_;
  std::vector<int32_t> offsets_, offsetsBack_;
  Target target_;
  // A unit sums gradients of weights over a part of the areas, `together_` at a
  // time: for all components and with the gradients of the input; or, if there
  // are many weights, for one of four groups of components.
  bool isFused_ = false;
  int64_t groups_ = 1, parts_ = 1, together_ = 1;
  int64_t vectors_ = 0;           // of one component's gradients
  std::vector<int64_t> columns_;  // first vector of a column of tiles
  std::vector<int32_t> offsetsWeights_;
  Buffer* partial_ = nullptr;
};

}  // namespace splitgrow::engine
