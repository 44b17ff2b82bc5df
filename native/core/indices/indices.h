// Splitting indices and directions of all chains.
#pragma once

#include "ops/net.h"
#include "tensor/control.h"
#include "tensor/rows.h"
#include "train/data.h"
#include "train/pause.h"

namespace splitgrow {

// Unit rows [neurons, dimension], one tensor a chain, by the chain's id.
struct Directions {
  NamedTensors tensors;
  const at::Tensor* find(const std::string& id) const {
    for (const auto& [name, tensor] : tensors)
      if (name == id) return &tensor;
    return nullptr;
  }
};

struct IndicesOptions {
  std::vector<bool> isExact;  // one a chain
  int64_t batch = 64, epochs = 10;
  // Neurons whose residual is above the tolerance go on, up to `mostEpochs`.
  int64_t mostEpochs = 10;
  double tolerance = 0;
  double learningRate = 1e-3, alpha = 0.9, momentum = 0.9, rmsEpsilon = 1e-8;
  double decayFactor = 1;
  int64_t decayEvery = 1;
  int64_t decayFirst = 1;  // epoch, from 0, of the first decay
  double reluBeta = 3, identityCurvature = 0;
  bool shuffle = true, auxiliary = false;
  // Ids of batch norms that run in training mode: a departure of the paper's
  // authors, by which the network's running statistics drift.
  std::vector<std::string> trainedNorms;
  uint64_t seed = 0;
  int64_t memoryLimit = int64_t{1} << 30;
  std::shared_ptr<PauseFlag> pause;
};

struct ChainIndices {
  std::vector<double> indices, residuals;
  int64_t epochs = 0;  // of the descent; 0: exact
};
// Of each neuron whether its residual |S v - lambda v| is above the tolerance:
// a share of |lambda|, or of a hundredth of the chain's largest |lambda| where
// that is more.
std::vector<bool> aboveTolerance(const ChainIndices& chain, double tolerance);
int64_t countAbove(const ChainIndices& chain, double tolerance);

struct Indices {
  std::vector<ChainIndices> chains;
  std::shared_ptr<Directions> directions;
  double seconds = 0;
};

// Goes on from `state`, which is new or was paused: to its result, or to where
// it is paused.
struct IndicesState;
Pause computeIndices(Network* network, const Dataset& data,
                     const IndicesOptions& options, const Control& control,
                     IndicesState* state);

// --- shared by the methods ---

// Rows of `v` with the sign that makes the component of largest size positive:
// v and -v are the same direction, and off-springs should not depend on which
// one a solver found.
at::Tensor withSign(const at::Tensor& v);
std::vector<double> toVector(const at::Tensor& t);

// What a method sees of one chain in one minibatch.
struct ChainView {
  int chain = 0;
  const Layer* layer = nullptr;
  const Attributes* attributes = nullptr;
  at::Tensor x, weight;  // the layer's input; its weights (for their shape)
  at::Tensor z, g;       // before the activation; dL/d(chain output)
  const Activation* activation = nullptr;  // null: none
  at::Tensor square;                       // c^2, [neurons]
  double beta = 3, identityCurvature = 0;
  // p = h * u (or h where u is undefined), and g * act'(z) if asked for.
  Curvature curvatureOf(const at::Tensor& u, bool wantGz) const;
  bool isFlat() const {
    return (activation == nullptr || activation->isLinear) &&
           identityCurvature == 0;
  }
};
// Whether every view of the chain is flat.
bool isFlat(const Network& network, const Chain& chain,
            double identityCurvature);
// Returns dL/dz where the view has an activation, else anything.
using Visit = std::function<at::Tensor(const ChainView&)>;

// One forward and one backward pass to the activations alone; `visit` is
// called for every chain in `wanted`. `share` multiplies the mean loss.
void sweepChains(const Network& network, const Folded& folded,
                 const Batch& batch, const std::vector<bool>& wanted,
                 const IndicesOptions& options, double share,
                 const Visit& visit);

// S v of every wanted chain by the paper's auxiliary activation and autodiff.
Tensors auxiliaryProducts(const Network& network, const Folded& folded,
                          const Batch& batch, const std::vector<bool>& wanted,
                          const Tensors& directions,
                          const IndicesOptions& options);

// One epoch's worth of state of the Rayleigh descent.
struct Rayleigh {
  Rayleigh(const Network& network, const std::vector<bool>& wanted,
           const IndicesOptions& options);
  // One minibatch: products for all chains, one RMSprop step each.
  void step(const Network& network, const Folded& folded, const Piece& piece,
            double rate);
  void sumProductsOverGroup();
  void beginAverage();
  bool isAveraging() const;
  // Adds the state of the latest step with this weight.
  void average(double weight);
  // Writes what the averages say. Neurons that have a result within the
  // tolerance keep it unless the new residual is smaller.
  // `weight`: the sum of those that average() got.
  void finish(Indices* result, Directions* directions, const Network& network,
              double weight);

  std::vector<bool> wanted;  // chains that are not done
  const IndicesOptions options;
  Tensors v, square, velocity;  // [neurons, dimension], by chain
  Tensors used, products;       // v before the latest step, and S v
  Tensors quotients;            // float64 [neurons], of the latest step
  Tensors sumV, sumProducts, sumQuotients;
};

// Accumulated splitting matrices of some neurons of some chains.
struct Block {
  int chain = 0;
  int64_t from = 0, count = 0;  // neurons
  at::Tensor sums;              // [dimension, dimension, count], i <= j valid
};
// Cuts the neurons of the exact chains into sweeps within the memory limit.
std::vector<std::vector<Block>> planBlocks(const Network& network,
                                           const std::vector<bool>& wanted,
                                           const IndicesOptions& options);
// Throws Error{E_DATA} where a rank could read none of its images, and so has
// no sums: the others would wait for them.
void requireSums(const Sweep& sweep, const std::vector<Block>& blocks);
void accumulate(Block* block, const ChainView& view, const at::Tensor& h);
// Smallest eigenvalues, unit eigenvectors and residuals of a block.
struct Eigen {
  at::Tensor values, vectors, residuals;  // [count], [count, d], [count]
};
Eigen smallestEigen(const Block& block);

}  // namespace splitgrow
