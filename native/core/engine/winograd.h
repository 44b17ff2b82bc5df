// Convolutions of 3 x 3 at stride 1 by Winograd's F(4 x 4, 3 x 3): a quarter of
// the multiply-adds. A unit turns an area of tiles into 36 components, which
// products of the usual kind take to those of the outputs.
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
  // From component to component, in vectors: an odd number.
  static int64_t step(int64_t channels, int64_t tiles) {
    return channels * tiles | 1;
  }
  // The 36 weights of each pair of channels, in the order of a product's tiles.
  void packWeights(bool isBack, float* to) const;
  // Pixels of a channel with 0 around them; fill(place, n, to) gives a row.
  template <class Fill>
  void readPixels(const Map& map, int64_t top, int64_t left, int64_t rows,
                  int64_t columns, float* to, Fill&& fill) const;
  void readValues(int64_t block, int64_t channel, int64_t top, int64_t left,
                  int64_t rows, int64_t columns, float* to) const;
  void readDerivatives(int64_t block, int64_t channel, int64_t top,
                       int64_t left, int64_t rows, int64_t columns,
                       float* to) const;
  // Components of all outputs from those of all inputs.
  void multiply(const Area& area, int64_t inputs, int64_t outputs,
                int64_t tiles, const float* packed,
                const std::vector<int32_t>& offsets, const float* x,
                float* y) const;
  void forward(int64_t unit, float* scratch);
  void inputGradients(int64_t unit, float* scratch);

  void planWeights();
  void weightGradients(int64_t unit, float* scratch);
  // Components of an area: of what is read, and of dL/dz.
  void readComponents(int64_t b, const Area& area, int64_t from, int64_t to,
                      int64_t plane, float* x, float* d, float* pixels) const;
  void fold(int64_t u) const;

  Areas areas_, areasBack_;  // of the output, of the input
  std::vector<int32_t> offsets_, offsetsBack_;
  std::vector<float> packed_, packedBack_;
  Target target_;
  // Gradients of weights: a unit adds up a part of the areas, for all
  // components or for those of one of four groups.
  int64_t groupsEach_ = 4, parts_ = 1, together_ = 1, tile_ = 0;
  std::vector<int32_t> offsetsWeights_;
  std::vector<int64_t> columns_;  // first vector of a column of tiles
  Buffer* partial_ = nullptr;
};

}  // namespace splitgrow::engine
