// What a dataset is: images and labels that passes sweep over in minibatches.
// In memory: tensor_data.h; decoded on the fly: images/.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/Generator.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tensor/control.h"

namespace splitgrow {

// Szegedy et al. 2015: a crop of a random area and ratio of sides, resized.
struct ResizedCrop {
  double leastArea = 0.08;  // of the image's; the most is 1
  double leastRatio = 3.0 / 4, mostRatio = 4.0 / 3;
};

struct Augment {
  bool flip = false;
  int64_t crop = 0;  // zero padding before a random crop back to size
  // The next two are for images that are decoded on the fly. Without them such
  // an image has one centre crop.
  std::optional<ResizedCrop> resizedCrop;
  bool shift = false;  // a random crop of the resized image
};

struct Batch {
  at::Tensor images;  // [n, C, H, W] of the asked dtype, channels_last
  at::Tensor labels;  // int64 [n]
};

// What happens to the images after the last whole minibatch: they are one more
// minibatch, they join the last whole one, or they are dropped.
enum class Remainder : uint8_t { kKeep, kJoin, kDrop };

struct SweepOptions {
  int64_t batch = 1;  // images of a minibatch, over all ranks
  int64_t micro = 0;  // images of a piece of it, about; 0: no smaller pieces
  Remainder remainder = Remainder::kKeep;
  int64_t least = 1;  // images of any piece, as far as the minibatch has them
  bool shuffle = false;
  Augment augment = {};
  uint64_t seed = 0;
  // Dtype and device of the images that a sweep gives. For bfloat16 a dataset
  // makes float32, and the result is rounded once.
  at::TensorOptions tensors;
  bool shards = true;  // each rank has its own part; false: all of everything
};

// A part of a minibatch that one forward and backward pass works on.
struct Piece {
  Batch batch;
  // The weight of this piece in the mean loss of the minibatch. The shares of
  // all pieces of all ranks add up to 1, or to the part of the images that
  // could be read.
  double share = 1;
  // How much each image counts in sums over ranks: less than 1 if several ranks
  // work on the same images.
  double weight = 1;
  bool isWhole = true;  // every rank has the whole minibatch
  // Images in it that could be read, each counted `weight` times.
  double images = 0;
};

inline Piece withoutBatch(const Piece& piece) {
  return {{}, piece.share, piece.weight, piece.isWhole, piece.images};
}

// How minibatches are shared: each rank has consecutive images of each, and
// cuts them into pieces.
struct Shares {
  int64_t size = 0, batch = 1, micro = 0, rank = 0, world = 1;
  Remainder remainder = Remainder::kKeep;
  int64_t least = 1;
  // Positions [from, from + count) of the order.
  struct Rows {
    int64_t from = 0, count = 0;
  };
  int64_t steps() const;
  int64_t images(int64_t step) const;
  int64_t pieces(int64_t step) const;
  Rows rows(int64_t step, int64_t index) const;
  // Too few images for all ranks: each has the whole minibatch.
  bool isWhole(int64_t step) const { return images(step) < world * least; }
};

// One pass over a dataset. The order and every random choice follow from the
// seed, so a sweep is the same on every machine and for any number of threads
// and ranks.
class Sweep {
 public:
  Sweep(int64_t size, const SweepOptions& options);
  virtual ~Sweep() = default;
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  int64_t steps() const { return shares_.steps(); }
  // Images of the minibatch, over all ranks.
  int64_t images(int64_t step) const { return shares_.images(step); }
  // Into how many pieces this rank cuts its part of the minibatch. The number
  // is the same on every rank, so that ranks can meet within a piece.
  int64_t pieces(int64_t step) const { return shares_.pieces(step); }
  // Called in order, from any first step on. Images that cannot be read are
  // missing from the piece, maybe all of them.
  Piece piece(int64_t step, int64_t index);
  virtual bool mayLeaveOut() const { return false; }
  // How many images of a minibatch could be read over all ranks, if this rank's
  // pieces have `here` of them. Either every rank calls it or none does.
  double readOf(int64_t step, double here) const;
  // The same for a minibatch of one piece. The share of the piece becomes its
  // share of the images that could be read.
  double readOf(int64_t step, Piece* piece) const;
  // Throws Error{E_DATA} with the first reason if no image could be read.
  void requireRead(double images) const;
  // Nothing where images are in memory.
  virtual std::optional<LoaderStats> stats() const { return {}; }

 protected:
  using Rows = Shares::Rows;
  Rows rows(int64_t step, int64_t index) const {
    return shares_.rows(step, index);
  }
  virtual Batch batch(int64_t step, int64_t index) = 0;

  const int64_t size_;
  const bool isNarrow_;         // images are handed out in bfloat16
  const SweepOptions options_;  // float32 where that is so
  const int64_t rank_, world_;
  at::Generator random_;  // further draws of a sweep follow the order's
  at::Tensor order_;      // int64 [N] on the host

 private:
  const Shares shares_;
};

struct Dataset {
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  virtual std::vector<int64_t> shape() const = 0;  // of an image: C, H, W
  virtual at::Device device() const = 0;
  // The dataset outlives its sweeps.
  virtual std::unique_ptr<Sweep> sweep(const SweepOptions& options) const = 0;
  int64_t classes = 0;
};

}  // namespace splitgrow
