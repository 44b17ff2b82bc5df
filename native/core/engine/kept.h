// What products S v of a layer without a window take of the images, kept for
// all of them: S v = sum over positions of h (x . v) x. With x and h at hand
// further products are matrix products alone, without a pass through the
// network.
#pragma once

#include "engine/context.h"

namespace splitgrow::engine {

// Positions of a minibatch in chunks that stay in the caches: some pixels of
// one block of images, or all pixels of several blocks. A chunk is
// [inputs + neurons][plane][lane].
struct Chunks {
  Chunks(const Table& table, int64_t rows, int64_t pixels, int64_t blocks);
  int64_t blocks, pixels, blocksEach = 1, pixelsEach, plane, count;
  // Of a chunk.
  int64_t firstBlock(int64_t chunk) const;
  int64_t blocksOf(int64_t chunk) const;
  int64_t firstPixel(int64_t chunk) const;
  int64_t pixelsOf(int64_t chunk) const;
};

// x and h of one layer. Minibatches are added in their order.
class KeptLayer {
 public:
  KeptLayer(const Table& table, int64_t inputs, int64_t neurons,
            int64_t pixels);

  // Bytes for so many images, without what fills the last vectors.
  static int64_t bytesOf(int64_t inputs, int64_t neurons, int64_t pixels,
                         int64_t images);
  // Makes room for a minibatch, for write() to fill.
  void add(int64_t images);
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
  const float* at(const Piece& piece, int64_t chunk) const;

  const Table& table_;
  const int64_t inputs_, neurons_, pixels_;
  std::vector<Piece> pieces_;
};

}  // namespace splitgrow::engine
