// Splitting indices and directions of all chains.
#pragma once

#include "engine/engine.h"
#include "ops/net.h"
#include "tensor/control.h"
#include "tensor/rows.h"
#include "train/data.h"
#include "train/pause.h"

namespace splitgrow {

// One tensor for each chain, by its id: unit rows [neurons, dimension].
struct Directions {
  NamedTensors tensors;
  const at::Tensor* find(const std::string& id) const {
    for (const auto& [name, tensor] : tensors)
      if (name == id) return &tensor;
    return nullptr;
  }
};

enum class Method : uint8_t { kExact, kRayleigh, kLobpcg };
// In the order of the enumeration.
constexpr const char* kMethodNames[] = {"exact", "rayleigh", "lobpcg"};

// JavaScript gives every number: there are no defaults here.
struct IndicesOptions {
  std::vector<Method> methods;  // one entry for each chain
  std::vector<bool> chainsOf(Method method) const;
  int64_t batch = 0, epochs = 0;
  int64_t passes = 0;  // most products of lobpcg, each a pass over the images
  // Neurons whose residual is above the tolerance go on, up to `mostEpochs`.
  int64_t mostEpochs = 0;
  double tolerance = 0;
  double learningRate = 0, alpha = 0, momentum = 0, rmsEpsilon = 0;
  double decayFactor = 0;
  int64_t decayEvery = 0;
  int64_t decayFirst = 0;  // epoch, from 0, of the first decay
  double reluBeta = 0, identityCurvature = 0;
  bool shuffle = false, auxiliary = false;
  // Ids of batch norms that run in training mode, as in the code of the paper's
  // authors; the paper does not say so. The running statistics of the network
  // drift by it.
  std::vector<std::string> trainedNorms;
  uint64_t seed = 0;
  // Bytes of the exact method's sums, and of what lobpcg keeps of the images.
  int64_t memoryLimit = 0;
  std::shared_ptr<PauseFlag> pause;
};

struct ChainIndices {
  std::vector<double> indices, residuals;
  int64_t epochs = 0;  // of the descent, or passes of lobpcg; 0: exact
};
// Whether the residual |S v - lambda v| of each neuron is above tolerance *
// scale. The scale is |lambda|, or a hundredth of the largest |lambda| of the
// chain if that is more. With tolerance 0.01, lambda -2 and a largest |lambda|
// of 4: above 0.02.
std::vector<bool> aboveTolerance(const ChainIndices& chain, double tolerance);
int64_t countAbove(const ChainIndices& chain, double tolerance);

struct Indices {
  std::vector<ChainIndices> chains;
  std::shared_ptr<Directions> directions;
  double seconds = 0;
};

// Goes on from `state`, which is new or was paused, until the result is whole
// or it is paused again.
struct IndicesState;
Pause computeIndices(Network* network, const Dataset& data,
                     const IndicesOptions& options, const Control& control,
                     IndicesState* state);

// --- shared by the methods ---

// Rows of `v`, each with the sign that makes its largest component positive. v
// and -v are the same direction, and the offspring should not depend on which
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
// Returns dL/dz if the view has an activation, else anything.
using Visit = std::function<at::Tensor(const ChainView&)>;

// One forward pass, and one backward pass that computes no weight gradients.
// Calls `visit` for every chain in `wanted`. `share` multiplies the mean loss.
void sweepChains(const Network& network, const Folded& folded,
                 const Batch& batch, const std::vector<bool>& wanted,
                 const IndicesOptions& options, double share,
                 const Visit& visit);

// S v of every wanted chain by the paper's auxiliary activation and autodiff.
Tensors auxiliaryProducts(const Network& network, const Folded& folded,
                          const Batch& batch, const std::vector<bool>& wanted,
                          const Tensors& directions,
                          const IndicesOptions& options);

// S p of every wanted chain over a minibatch, weighted by the share of `piece`:
// [rows, dimension], like `directions`. Row r is for neuron owners[r] (int64
// [rows]); where owners are undefined, or there is no list of them, it is for
// neuron r. `engine` may make them; null: ATen does. What the layers in `kept`,
// which layersToKeep of the engine chose, take of the images is added there.
Tensors productsOver(const Network& network, const Folded& folded,
                     const Piece& piece, const std::vector<bool>& wanted,
                     const Tensors& directions, const IndicesOptions& options,
                     const Tensors& owners, engine::Engine* engine,
                     const engine::Kept& kept = {});

// Each tensor becomes its sum over the ranks; undefined ones stay so. All in
// one sum, because many small ones would each wait for the network.
void sumOverGroupAtOnce(const std::vector<at::Tensor*>& tensors);

// One epoch's worth of state of the Rayleigh descent.
struct Rayleigh {
  Rayleigh(const Network& network, const std::vector<bool>& wanted,
           const IndicesOptions& options);
  // One minibatch: products for all chains, one RMSprop step each.
  void step(const Network& network, const Folded& folded, const Piece& piece,
            double rate);
  void beginAverage();
  bool isAveraging() const;
  // Adds the vectors of the latest step to the averages, with this weight.
  void average(double weight);
  // Writes the indices and directions that the averages give. A neuron that has
  // a result within the tolerance keeps it unless the new residual is smaller.
  // `weight` is the sum of the weights that average() got.
  void finish(Indices* result, Directions* directions, const Network& network,
              double weight);

  std::vector<bool> wanted;  // chains that are not done
  const IndicesOptions options;
  Tensors v, square, velocity;  // [neurons, dimension], by chain
  Tensors used, products;       // v before the latest step, and S v
  Tensors quotients;            // float64 [neurons], of the latest step
  Tensors sumV, sumProducts, sumQuotients;
  std::unique_ptr<engine::Engine> engine;  // null: by ATen
};

// Accumulated splitting matrices of some neurons of some chains.
struct Block {
  int chain = 0;
  int64_t from = 0, count = 0;  // neurons
  at::Tensor sums;              // [dimension, dimension, count], i <= j valid
};
// Cuts the neurons of the exact chains into sweeps over the data, so that the
// matrices of one sweep, 4 dimension^2 bytes each, fit the memory limit. With a
// limit of 1 MiB on one thread, a chain of 8 neurons of dimension 256 (256 KiB
// each) and one of 8 neurons of dimension 64 (16 KiB each):
//   sweep 1: neurons 0 to 3 of the first chain
//   sweep 2: neurons 4 to 7 of the first chain
//   sweep 3: the second chain
std::vector<std::vector<Block>> planBlocks(const Network& network,
                                           const std::vector<bool>& wanted,
                                           const IndicesOptions& options);
// Throws Error{E_DATA} if this rank could read none of its images and so has no
// sums: the other ranks would wait for them.
void requireSums(const Sweep& sweep, const std::vector<Block>& blocks);
void accumulate(Block* block, const ChainView& view, const at::Tensor& h);
// The same of all blocks by the CPU engine. False where it does not take them.
bool accumulateAll(engine::Engine* engine, const Network& network,
                   const Batch& batch, const IndicesOptions& options,
                   double share, std::vector<Block>* blocks);
// Smallest eigenvalues, unit eigenvectors and residuals of a block.
struct Eigen {
  at::Tensor values, vectors, residuals;  // [count], [count, d], [count]
};
Eigen smallestEigen(const Block& block);
// The same by LibTorch's eigh of every matrix: what `smallestEigen` is timed
// against.
Eigen wholeEigensystem(const Block& block);

}  // namespace splitgrow
