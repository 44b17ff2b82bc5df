// What products S v of a layer take of the images, kept for all of them. With
// it further products need no pass through the network. In one of two forms:
//   inputs    x and h of all positions: S v = sum of h (x . v) x. For layers
//             without a window.
//   matrices  the sums S themselves: less work and less memory where a neuron
//             has few weights.
#pragma once

#include "engine/chunks.h"
#include "engine/context.h"

namespace splitgrow::engine {

enum class Form : uint8_t { kNone, kInputs, kMatrices };

// How a layer's inputs and curvature, `channels` in all, are cut.
Chunks keptChunks(const Table& table, int64_t channels, int64_t pixels,
                  int64_t blocks);

// Whether a layer reads more than one position at a time, or leaves some out.
bool hasWindow(const Node& layer);

// Of one layer. Minibatches are added in their order.
class KeptLayer {
 public:
  // `inputs`: weights of a neuron.
  KeptLayer(const Table& table, int64_t inputs, int64_t neurons, int64_t pixels,
            bool hasWindow);

  // By what takes less work, or none where both take too much.
  Form form() const { return form_; }
  // For so many images, without what fills the last vectors.
  int64_t bytes(int64_t images) const;
  // Makes room for a minibatch: for write() to fill, or to be added to sums().
  void add(int64_t images);
  float* sums() const {
    return sums_.defined() ? sums_.mutable_data_ptr<float>() : nullptr;
  }
  Chunks chunksOf(int64_t images) const;
  // One chunk of the latest minibatch: x as `in` is read, h of `out`. `unused`
  // has room for a chunk of one channel.
  void write(const Context& context, const View& in, const Map& out,
             int64_t chunk, float* unused) const;

  // S v of the images so far for rows of directions, float32 [rows, inputs], of
  // the neurons owners[row] (null: row r of neuron r): float64 [rows, inputs].
  // The same bits for any number of threads.
  at::Tensor products(Team* team, const at::Tensor& directions,
                      const int64_t* owners) const;

 private:
  struct Piece {
    Chunks chunks;
    at::Tensor numbers;
  };
  // Chunks [from, to) of a piece.
  struct Group {
    size_t piece;
    int64_t from, to;
  };
  std::vector<Group> groups() const;
  at::Tensor productsOfInputs(Team* team, const at::Tensor& directions,
                              const int64_t* owners) const;
  at::Tensor productsOfMatrices(const at::Tensor& directions,
                                const int64_t* owners) const;
  const float* at(const Piece& piece, int64_t chunk) const;

  const Table& table_;
  const int64_t inputs_, neurons_, pixels_;
  Form form_;
  std::vector<Piece> pieces_;
  at::Tensor sums_;  // [inputs, inputs, neurons], i <= j valid
};

// What a search over so many images keeps of each chain, whatever the memory
// limit says; nothing of a network that the engine does not take. `pixels`:
// positions of an image, by chain.
struct KeptSize {
  Form form = Form::kNone;
  double bytes = 0;
};
std::vector<KeptSize> keptSizes(const Network& network,
                                const std::vector<int64_t>& pixels,
                                int64_t images);

}  // namespace splitgrow::engine
