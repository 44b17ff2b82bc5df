// What all producers of a plan share.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "engine/kernels/narrow.h"
#include "engine/map.h"
#include "engine/team.h"
#include "ops/net.h"

namespace splitgrow::engine {

class KeptLayer;

// What differs from step to step.
struct Inputs {
  const float* images = nullptr;  // channels_last, [n, C, H, W]
  const int64_t* labels = nullptr;
  double smoothing = 0, share = 1;
  // Of the running statistics; none: by each norm's own.
  std::optional<double> statisticsMomentum;
  OnGradients onGradients;
  // Of curvature: softplus's beta for relu, and what stands for act'' where
  // there is none.
  float beta = 0, constant = 0;
  // By chain: directions and S times them, [neurons, dimension], and the neuron
  // of each row (null: row r is of neuron r).
  std::vector<const int64_t*> owners;
  std::vector<const float*> directions;
  std::vector<float*> products;
  // By chain: sums of S, [dimension, dimension, neurons], that are added to.
  std::vector<float*> matrices;
  // By chain: where its inputs and curvature are kept.
  std::vector<const KeptLayer*> kept;
};

// What a step gives besides gradients, for each image.
struct Outputs {
  std::vector<double> losses;
  // Of the label among the logits: 0 is a hit, below 5 one among five.
  std::vector<int64_t> ranks;
};

// Memory that the network's counters see, aligned to a vector.
class Buffer {
 public:
  void reserve(int64_t floats) {
    if (floats <= count_) return;
    tensor_ = at::Tensor();  // before there is a larger one
    tensor_ = at::empty({floats}, at::kFloat);
    count_ = floats;
    askForHugePages();
  }
  float* data() const {
    return count_ == 0 ? nullptr : tensor_.mutable_data_ptr<float>();
  }

 private:
  // Loops read many planes side by side, each in a page of its own: small pages
  // are more than a processor remembers. To be called before memory is written.
  void askForHugePages() {
#ifdef MADV_HUGEPAGE
    constexpr size_t kPage = 2 << 20;
    size_t room = count_ * sizeof(float);
    void* first = data();
    // A system that has none goes on with small ones.
    if (std::align(kPage, kPage, first, room) != nullptr)
      static_cast<void>(madvise(first, room / kPage * kPage, MADV_HUGEPAGE));
#endif
  }

  at::Tensor tensor_;
  int64_t count_ = 0;
};

// What all plans of an engine use, one after the other.
struct Memory {
  Buffer kept, passing;  // of maps: z, and g
  // Gradients of weights by part: of this stage's layer, and of the one before.
  Buffer partial[2];
};

struct Context {
  const Network& network;
  const Table& table;
  int64_t n, lanes, blocks;
  bool usesBatch;  // batch norm takes the statistics of the minibatch
  std::vector<Map> maps;
  // Lanes of the last block: bits all ones, or zeros.
  alignas(64) std::array<float, 64> mask;
  Inputs inputs;
  Outputs outputs;
  bool wantsGradients = true;  // of the parameters
  int64_t scratch = 0;         // floats of a thread
  Memory& memory;
  const NarrowLoops* narrow;  // null: all products are in float32

  void needScratch(int64_t vectors) {
    scratch = std::max(scratch, vectors * lanes);
  }
  int64_t imagesIn(int64_t block) const {
    return std::min(lanes, n - block * lanes);
  }
  const float* maskOf(int64_t block) const {
    return imagesIn(block) < lanes ? mask.data() : nullptr;
  }
  float* plane(const Map& map, int64_t block, int64_t channel) const {
    return map.z + (block * map.block + channel * map.plane) * lanes;
  }
  float* gradients(const Map& map, int64_t block, int64_t channel) const {
    return map.g + (block * map.blockBack + channel * map.plane) * lanes;
  }
  // Asks for n vectors. Rows of different channels lie far apart, where the
  // processor asks for nothing by itself.
  void prefetch(const float* row, int64_t n) const {
    constexpr int64_t kLine = 64;
    const char* const from = reinterpret_cast<const char*>(row);
    const int64_t bytes = n * lanes * static_cast<int64_t>(sizeof(float));
    for (int64_t at = 0; at < bytes; at += kLine)
      __builtin_prefetch(from + at, 0, 2);
  }
  Reading reading(const View& view, int64_t channel) const {
    const Map& map = maps[view.map];
    return {view.act, map.mean[channel], map.scale[channel],
            map.shift[channel]};
  }
  // dL/dz of a row of n vectors that begins at pixel `at`.
  void derivative(const Map& map, int64_t block, int64_t channel, int64_t at,
                  int64_t n, float* dz) const {
    if (map.isOuter) return curvature(map, block, channel, at, n, dz, nullptr);
    table.combine(gradients(map, block, channel) + at * lanes,
                  plane(map, block, channel) + at * lanes, n, map.mean[channel],
                  map.a[channel], map.b[channel], map.c[channel], maskOf(block),
                  dz);
  }
  // The same, and h = g act'' scale^2 of a map that is `isOuter`.
  void curvature(const Map& map, int64_t block, int64_t channel, int64_t at,
                 int64_t n, float* dz, float* h) const {
    table.curvature(
        {map.outer, map.mean[channel], map.scale[channel], map.shift[channel]},
        plane(map, block, channel) + at * lanes,
        gradients(map, block, channel) + at * lanes, n, inputs.beta,
        map.outer == Act::kIdentity ? inputs.constant : 0, maskOf(block), dz,
        h);
  }
  // The activation whose slope a reader of `view` multiplies with.
  Act slopeOf(const View& view) const {
    return maps[view.map].isOuter ? Act::kIdentity : view.act;
  }
  // Numbers [from, from + count) of each image of a block, from rows of `size`
  // numbers, to the vectors at `places`.
  void spread(const float* rows, int64_t size, int64_t block, int64_t from,
              int64_t count, const std::vector<int32_t>& places,
              float* to) const;
  // Keeps sums of what a unit wrote, from `channel` on.
  void keepMoments(Map* map, int64_t part, int64_t channel, int64_t count,
                   const float* sums, const float* pivots, int64_t block) const;
  void keepDerivatives(Map* map, int64_t part, int64_t channel, int64_t count,
                       const float* sums) const;
};

// Batch norm: from the sums of a map to how it is read (or, in evaluation mode,
// from the running statistics), and back.
void finishMoments(Context* context, Map* map);
void takeRunning(Context* context, Map* map);
void finishDerivatives(Context* context, Map* map);

}  // namespace splitgrow::engine
