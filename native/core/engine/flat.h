// Layers without a window: 1 x 1 convolutions of stride 1, and linear layers.
// A unit works on chunks of pixels whose values and derivatives stay in the
// caches.
#pragma once

#include "engine/chunks.h"
#include "engine/producer.h"

namespace splitgrow::engine {

// Channels ahead of the one that is read, whose rows are asked for.
constexpr int64_t kAhead = 4;

class Flat : public Producer {
 public:
  Flat(Context* context, int node, const View& view, int out);

  bool packs() const override { return true; }
  void pack() override;
  void addForward(Stage* stage) override;
  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int which) override;
  bool splits() const override { return true; }
  // Matrices are made by units of their own, which read the derivative too.
  bool isInPlace() const override { return wanted_ != Wanted::kMatrices; }
  bool folds() const override { return wanted_ != Wanted::kNothing; }
  void addFold(Stage* stage) override;

 private:
  const float* weights() const {
    return instruction().parameters[0].const_data_ptr<float>();
  }
  const float* biases() const {
    const auto& p = instruction().parameters;
    return p.size() > 1 ? p[1].const_data_ptr<float>() : nullptr;
  }

  void planChunks();
  void forward(int64_t b, int64_t s, float* scratch);
  void backward(int64_t unit, float* scratch);
  // What is multiplied with the derivatives of the outputs.
  void multiplyBack(int64_t b0, int64_t b1, int64_t q0, int64_t q1,
                    const float* dz, const float* first, float* sums) const;
  // Vectors that a chunk takes, and partial gradients of the weights.
  int64_t scratchBack() const {
    return isNarrow_ ? scratchNarrow() : (co_ + 2 * ci_ + rows_) * chunkBack_;
  }
  int64_t partialVectors() const {
    return isNarrow_ ? co_ * groups_ : parts_.vectors();
  }
  // Pixels q0 to q1 of blocks b0 to b1 (all pixels if they are several).
  void chunk(int64_t b0, int64_t b1, int64_t q0, int64_t q1, float* dz,
             float* sums, float* w);
  Chunks chunksOfMatrices() const;
  void addMatrices(int64_t unit, float* scratch);

  // In bfloat16 (flat_narrow.cc).
  void planNarrow();
  int64_t scratchNarrow() const;
  void packNarrow();
  // Values of pixels [q, q + m) of a block as words of two channels.
  void readPairs(int64_t b, int64_t q, int64_t m, float* rows, float* to) const;
  // `isFirst` of its unit.
  void chunkNarrow(int64_t b0, int64_t b1, int64_t q0, int64_t q1, float* rows,
                   float* sums, float* w, bool isFirst);
  void foldNarrow(int64_t output) const;

  const int64_t ci_, co_, pixels_, segment_, segments_;
  WeightParts parts_;
  int64_t chunk_ = 0, chunkBack_ = 0, blocksEach_ = 1, units_ = 0, rows_ = 0;
  bool isSeveral_ = false;
  // Whether the products of a training pass are in bfloat16; and the vectors of
  // a row of gradients of weights then.
  bool isNarrow_ = false;
  int64_t groups_ = 0;
  // What products add up, forward and back: channels, or pairs of them.
  int64_t taps_ = 0, tapsBack_ = 0;
  Target target_;
  Buffer* partial_ = nullptr;
  std::vector<int32_t> offsets_, offsetsBack_, offsetsOfMatrices_;
  std::vector<float> packed_, packedBack_, packedDirections_;
};

}  // namespace splitgrow::engine
