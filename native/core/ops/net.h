// A network: a program and its tensors, and the passes that run it.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "ops/ops.h"

namespace splitgrow {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// One step of a pass: a node, and the slot that its value goes to. A pass may
// let one node do the work of the next one too (training: batch norm and
// activation; evaluation: layer and batch norm). The absorbed node is then no
// step.
struct Step {
  int node = 0;
  int absorbed = -1;
  int out = 0;  // slot
};

// A number for each parameter of a stretch of the parameter buffer that begins
// at `from`. Undefined: there are none.
struct Coefficients {
  int64_t from = 0;
  at::Tensor values;
};

struct Network {
  Network(Program program, at::Device device, at::ScalarType dtype);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network() = default;

  void initialise(uint64_t seed);
  // Names, shapes and dtype must match. Tensors that are not named keep their
  // values.
  void write(const NamedTensors& tensors);
  NamedTensors weights() const;
  // The sets of tensors by name (tensor_sets.cc): "weights", "momentum",
  // "average". A set that training has not begun is empty. Writing an empty one
  // ends the set.
  NamedTensors read(const std::string& set) const;
  void write(const std::string& set, const NamedTensors& tensors);
  // Of float32 tensors, each of a trained parameter's name and shape.
  // Parameters that are not named get the number `between`. `what` they are,
  // for errors.
  Coefficients coefficientsOf(const NamedTensors& tensors, const char* what,
                              double between) const;

  at::TensorOptions options() const {
    return at::TensorOptions().device(device).dtype(dtype);
  }

  const Program program;
  const at::Device device;
  const at::ScalarType dtype;
  // All trained parameters stand in one buffer, first those that `decay:
  // "weights"` decays, and all running statistics in another. The parameters
  // and gradients of nodes are views.
  at::Tensor values, gradients, statistics;
  at::Tensor velocity;  // momentum; undefined until used
  // Moving averages of both; undefined until used.
  at::Tensor averageValues, averageStatistics;
  int64_t decayed = 0;
  std::vector<Node> nodes;
  // The nodes of training passes in bfloat16 (narrow.h): parameters of layers
  // are views of `narrowed`. Undefined and empty until the first such pass.
  at::Tensor narrowed;
  std::vector<Node> narrowNodes;
  const std::vector<Node>& nodesFor(const Run& run) const {
    return run.isNarrow ? narrowNodes : nodes;
  }
  std::vector<Step> trainingSteps, evaluationSteps;
  // The steps of evaluation if no layer absorbs the norms that are `isApart`.
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

// A prepared evaluation pass: the weights of each layer with the batch norm
// behind it folded in. One entry for each node; undefined for a node that is no
// layer. Norms that are `trained` (one entry for each node; empty: none) are
// not folded: they take the statistics of the minibatch, over all ranks, and
// move the running ones.
struct Folded {
  explicit Folded(const Network& network, std::vector<bool> trained = {});
  std::vector<Step> steps;
  std::vector<at::Tensor> weights, biases;
  // The scale that batch norm gives each neuron, squared; 1 without batch norm.
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
// Called for every node once the gradients of its parameters are complete.
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
