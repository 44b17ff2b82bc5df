// Convolutions of any kernel, stride, padding and number of groups. A unit
// reads a band of rows with their borders into scratch memory, where a window
// is a list of offsets.
#pragma once

#include "engine/producer.h"

namespace splitgrow::engine {

inline int64_t floorDiv(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

class Convolution : public Producer {
 public:
  Convolution(Context* context, int node, const View& view, int out);

  bool packs() const override { return true; }
  void pack() override;
  void addForward(Stage* stage) override;
  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int which) override;
  bool splits() const override { return groups_ == 1; }
  bool folds() const override { return wanted_ != Wanted::kNothing; }
  void addFold(Stage* stage) override;

 protected:
  const float* weights() const {
    return instruction().parameters[0].const_data_ptr<float>();
  }
  const float* biases() const {
    const auto& p = instruction().parameters;
    return p.size() > 1 ? p[1].const_data_ptr<float>() : nullptr;
  }

  const int64_t groups_, k_, stride_, padding_, ci_, co_;  // of a group
  const int64_t hi_, wi_, ho_, wo_;

 private:
  // Input rows and columns that the same weights reach: (row + padding) mod
  // stride is y, and of the columns x.
  struct Phase {
    int64_t y, x, ky, kx;                   // its taps, along both axes
    std::vector<int32_t> offsets, weights;  // of each tap of each output
    std::vector<float> packed;
    int64_t taps() const { return ky * kx; }
  };

  void planForward();
  void planBackward();
  int64_t rowsOf(int64_t band) const {
    return std::min(ho_, (band + 1) * rows_) - band * rows_;
  }
  int64_t tapsFrom(int64_t phase) const {
    return phase < k_ ? (k_ - phase + stride_ - 1) / stride_ : 0;
  }
  // How many sums of gradients there are; each is of several bands.
  int64_t parts() const;
  // The window of a band: values of a group's channels, and 0 around them.
  void read(int64_t g, int64_t b, int64_t band, float* to) const;
  void forward(int64_t b, int64_t band, float* scratch);
  void weightGradients(int64_t part, float* scratch);
  void addMatrices(int64_t unit, float* scratch);
  void inputGradients(int64_t b, int64_t band, float* scratch);
  // The first place from `from` on whose phase it is.
  int64_t firstAt(int64_t from, int64_t phase) const {
    const int64_t now = (from + padding_) % stride_;
    return from + (phase - now + stride_) % stride_;
  }
  // dL/dz of a group's channels in rows from `top` on, and 0 outside the map.
  void readDerivatives(int64_t g, int64_t b, int64_t top, float* to) const;

  const int64_t width_, taps_;
  WeightParts parts_;
  int64_t directions_ = 0;  // rows of what the window is multiplied with
  int64_t bands_ = 1, rows_ = 1, height_ = 1;
  int64_t bandsBack_ = 1, rowsBack_ = 1, heightBack_ = 1, widthBack_ = 1;
  int64_t left_ = 0;
  std::vector<int32_t> offsets_;
  std::vector<float> packed_, packedDirections_;
  std::vector<Phase> phases_;
  Target target_;
  Buffer* partial_ = nullptr;
};

}  // namespace splitgrow::engine
