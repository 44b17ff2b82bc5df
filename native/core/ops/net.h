// A network: a program and its tensors, and the passes that run it.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "ops/ops.h"

namespace splitgrow {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// One thing a pass runs: a node, and where its value goes. A pass may absorb
// the node behind it (training: batch norm + activation; evaluation: layer +
// batch norm), which then does not run itself.
struct Step {
  int node = 0;
  int absorbed = -1;
  int out = 0;  // slot
};

// Coefficients of a stretch of the parameter buffer that begins at `from`;
// undefined: of none.
struct Penalty {
  int64_t from = 0;
  at::Tensor coefficients;
};

struct Network {
  Network(Program program, at::Device device, at::ScalarType dtype);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network() = default;

  void initialise(uint64_t seed);
  // Names, shapes and dtype must match; missing ones keep what they have.
  void write(const NamedTensors& tensors);
  NamedTensors weights() const;
  // The sets that training adds (tensor_sets.cc): "weights", "momentum",
  // "average". Empty where training has not begun one; writing none ends it.
  NamedTensors read(const std::string& set) const;
  void write(const std::string& set, const NamedTensors& tensors);
  // One float32 tensor a trained parameter, of its shape; 0 between them.
  Penalty penaltyOf(const NamedTensors& tensors) const;

  at::TensorOptions options() const {
    return at::TensorOptions().device(device).dtype(dtype);
  }

  const Program program;
  const at::Device device;
  const at::ScalarType dtype;
  // All trained parameters in one buffer, those that `decay: "weights"`
  // decays first, and all running statistics in another; parameters and
  // gradients of the nodes are views.
  at::Tensor values, gradients, statistics;
  at::Tensor velocity;  // momentum; undefined until used
  // Moving averages of both; undefined until used.
  at::Tensor averageValues, averageStatistics;
  int64_t decayed = 0;
  std::vector<Node> nodes;
  // The nodes as training passes in bfloat16 take them (narrow.h): parameters
  // of layers are views of `narrowed`. Undefined and empty until used.
  at::Tensor narrowed;
  std::vector<Node> narrowNodes;
  const std::vector<Node>& nodesFor(const Run& run) const {
    return run.isNarrow ? narrowNodes : nodes;
  }
  std::vector<Step> trainingSteps, evaluationSteps;
  // Those of evaluation, in which no layer absorbs a norm that `isApart`.
  std::vector<Step> evaluationStepsWith(const std::vector<bool>& isApart) const;
  // One task at a time works on a network.
  std::mutex busy;

 private:
  struct Place {
    std::string name;
    at::Tensor view;
    bool isTrained;
    int64_t offset;  // in `values`, or in `statistics`
  };
  // The stretch of that place in a buffer like `values` or `statistics`.
  static at::Tensor stretch(const at::Tensor& buffer, const Place& place) {
    return buffer.narrow(0, place.offset, place.view.numel());
  }
  const Place& place(const std::string& name) const;
  struct Set;
  static const Set& setOf(const std::string& name);
  void plan();
  std::vector<Step> steps(const std::function<bool(int, int)>& absorbs) const;
  std::vector<Place> places;
};

// An evaluation pass made ready: layers with the batch norm behind them folded
// in, one entry a node; undefined where a node is no layer. Norms that are
// `trained` (by node; empty: none) are not folded: they take the minibatch's
// statistics, over all ranks, and move the running ones.
struct Folded {
  explicit Folded(const Network& network, std::vector<bool> trained = {});
  std::vector<Step> steps;
  std::vector<at::Tensor> weights, biases;
  // Scale that batch norm gives each neuron (1 without), squared.
  std::vector<at::Tensor> squares;
  std::vector<bool> trained;
  Run runOf(int node) const;
};

// Values of the slots of one pass.
struct Tape {
  std::vector<at::Tensor> slots;
  std::vector<Saved> saved;
};

at::Tensor forwardTraining(const Network& network, const at::Tensor& x,
                           const Run& run, Tape* tape);
// Called for every node when its parameters' gradients have their values.
using OnGradients = std::function<void(size_t node)>;
// Fills the gradients of all parameters.
void backwardTraining(const Network& network, Tape* tape, const Run& run,
                      const at::Tensor& gradLogits,
                      const OnGradients& onGradients = nullptr);
// Evaluation mode. With `tape`, slots are kept for a backward pass.
at::Tensor forwardEvaluation(const Network& network, const Folded& folded,
                             const at::Tensor& x, Tape* tape);

Tensors inputsOf(const Node& node, const Tape& tape);

struct Loss {
  at::Tensor sum;         // of cross-entropies over the images, scalar
  at::Tensor gradLogits;  // of their mean; undefined unless asked for
};
Loss crossEntropy(const at::Tensor& logits, const at::Tensor& labels,
                  double smoothing, bool wantGrad);

}  // namespace splitgrow
