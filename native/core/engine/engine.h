// The CPU's way through a network in float32: images innermost, everything that
// follows a layer done while the layer is read or written, one team of threads
// a step. The bits do not depend on the number of threads. ATen does the same
// passes for all else (ops/net.h).
#pragma once

#include <memory>
#include <string>

#include "engine/few/plan.h"
#include "engine/plan.h"

namespace splitgrow::engine {

// The name of the instruction set that the loops here are compiled for; empty
// where the environment says SPLITGROW_ENGINE=0.
std::string setName();

// That of the loops for bfloat16; empty where there are none.
std::string narrowName();

// Whether the engine takes this network, and such passes over it. In bfloat16
// it has wide layers alone, where that is faster; the others stay in float32.
bool takes(const Network& network, const Run& run = {});

// Its ops that the engine leaves to their rows of the op table, once each.
std::vector<std::string> foreignOps(const Network& network);

// Sums over the images of a pass.
struct Summary {
  double loss = 0;
  int64_t hits = 0, hitsAmongFive = 0, images = 0;
};

// By chain; null: not kept.
using Kept = std::vector<std::shared_ptr<KeptLayer>>;

// Of the outputs of so many images.
Summary summaryOf(const Outputs& outputs, int64_t images);

// Plans for the sizes of minibatches that come, and a team of threads. One call
// at a time. Weights may change between passes in training mode, and no more
// once there was a pass in evaluation mode: whoever changes them then makes
// another engine.
class Engine {
 public:
  // With as many threads as the calling task computes with. The network
  // outlives it.
  explicit Engine(const Network& network);

  // Whether forward passes over so few images are faster here than by ATen,
  // which leaves no lane of a vector empty but has more to do around each op.
  bool isBest(int64_t images);

  // Forward and backward: fills the network's gradients. `share` multiplies the
  // mean loss.
  Summary train(const at::Tensor& images, const at::Tensor& labels,
                const Run& run, double smoothing, double share,
                const OnGradients& onGradients);
  // Forward alone, in evaluation mode or with the statistics of the minibatch.
  Summary evaluate(const at::Tensor& images, const at::Tensor& labels,
                   bool usesBatch);
  // S v for rows of directions of the wanted chains, by chain: [rows,
  // dimension], undefined for the others. `owners`: as productsOver
  // (indices/indices.h) has them. `share` multiplies the mean loss; `beta` is
  // softplus's for relu, and `constant` stands for act'' where there is no
  // activation. Nothing where the engine makes none for these chains. What the
  // chains in `kept` take of the images is added there.
  std::optional<Tensors> products(const at::Tensor& images,
                                  const at::Tensor& labels, double share,
                                  const std::vector<bool>& wanted,
                                  const Tensors& directions,
                                  const Tensors& owners, double beta,
                                  double constant, const Kept& kept = {});
  // Of the chains among `wanted` those of which what products take of so many
  // images, in minibatches of `batch`, fits into `most` bytes; the small ones
  // first. Null for the others.
  Kept layersToKeep(const std::vector<bool>& wanted, int64_t images,
                    int64_t batch, int64_t most);
  // S v of a kept layer, float64; see KeptLayer.
  at::Tensor products(const KeptLayer& layer, const at::Tensor& directions,
                      const at::Tensor& owners) {
    return layer.products(
        team(), directions,
        owners.defined() ? owners.const_data_ptr<int64_t>() : nullptr);
  }
  // Adds S of neurons [from, from + count) of chains to sums, float32
  // [dimension, dimension, count], of which i <= j is valid. False, and nothing
  // is added, where the engine makes none of these chains.
  struct Matrices {
    int chain = 0;
    int64_t from = 0, count = 0;
    at::Tensor sums;
  };
  bool addMatrices(const at::Tensor& images, const at::Tensor& labels,
                   double share, const std::vector<Matrices>& blocks,
                   double beta, double constant);
  // [n, classes]
  at::Tensor logits(const at::Tensor& images, const Run& run);

 private:
  Plan* planFor(const PlanOptions& options);
  void run(Plan* plan, const at::Tensor& images, const at::Tensor& labels);
  // [n, H, W, C] of images that the network takes.
  at::Tensor pixelsOf(const at::Tensor& images) const;
  // Whether so few images are better with channels innermost.
  bool isFew(int64_t images);
  few::Plan* fewPlan();
  const float* runFew(const at::Tensor& images);
  Summary evaluateFew(const at::Tensor& images, const at::Tensor& labels);
  at::Tensor fewLogits(const at::Tensor& images);
  Team* team();
  const Network& network_;
  Memory memory_;
  std::vector<std::unique_ptr<Plan>> plans_;
  std::unique_ptr<few::Plan> few_;
  Buffer logits_;          // of few images
  bool isPacked_ = false;  // few_ has the weights as they are
  const int threads_;
  std::unique_ptr<Team> team_;  // once there is work for it
};

// An engine for the network; null where ATen is to do its passes.
std::unique_ptr<Engine> engineFor(const Network& network);

}  // namespace splitgrow::engine
