// Forward and backward over the steps of a network.
#include "ops/net.h"
#include "ranks/group.h"
#include "tensor/error.h"
#include "tensor/rows.h"

namespace splitgrow {

namespace {

using at::Tensor;

// For each slot, the last step that reads it.
std::vector<int> lastReaders(const Network& network,
                             const std::vector<Step>& steps) {
  std::vector<int> last(network.nodes.size() + 1, -1);
  for (size_t i = 0; i < steps.size(); ++i)
    for (const int slot : network.nodes[steps[i].node].instruction->inputs)
      last[slot] = static_cast<int>(i);
  last[network.program.output] = static_cast<int>(steps.size());
  return last;
}

void addTo(Tensor& slot, const Tensor& grad) {
  slot = slot.defined() ? slot + grad : grad;
}

}  // namespace

Tensors inputsOf(const Node& node, const Tape& tape) {
  Tensors inputs;
  for (const int slot : node.instruction->inputs)
    inputs.push_back(tape.slots[slot]);
  return inputs;
}

Tensor forwardTraining(const Network& network, const Tensor& x, const Run& run,
                       Tape* tape) {
  tape->slots.assign(network.nodes.size() + 1, Tensor());
  tape->saved.assign(network.nodes.size(), Saved());
  tape->slots[0] = x;
  const auto& nodes = network.nodesFor(run);
  for (const Step& step : network.trainingSteps) {
    const Node& node = nodes[step.node];
    tape->slots[step.out] = node.instruction->op->forward(
        node, inputsOf(node, *tape), run, &tape->saved[step.node]);
  }
  return tape->slots[network.program.output];
}

void backwardTraining(const Network& network, Tape* tape, const Run& run,
                      const Tensor& gradLogits,
                      const OnGradients& onGradients) {
  Tensors grads(network.nodes.size() + 1);
  grads[network.program.output] = gradLogits;
  const auto& nodes = network.nodesFor(run);
  const auto& steps = network.trainingSteps;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const Node& node = nodes[step->node];
    const auto& slots = node.instruction->inputs;
    Tensor grad = std::move(grads[step->out]);
    grads[step->out] = Tensor();
    tape->slots[step->out] = Tensor();  // its readers are done
    if (!grad.defined()) {              // the node reaches no output
      if (onGradients) onGradients(step->node);
      continue;
    }
    bool wantInput = false;
    for (const int slot : slots) wantInput |= slot != 0;
    const Tensors back =
        node.instruction->op->backward(node, grad, inputsOf(node, *tape),
                                       tape->saved[step->node], run, wantInput);
    if (onGradients) onGradients(step->node);
    for (size_t i = 0; i < slots.size(); ++i)
      if (slots[i] != 0) addTo(grads[slots[i]], back[i]);
    tape->saved[step->node].clear();
  }
}

Folded::Folded(const Network& network, std::vector<bool> trained_)
    : steps(trained_.empty() ? network.evaluationSteps
                             : network.evaluationStepsWith(trained_)),
      trained(std::move(trained_)) {
  const size_t count = network.nodes.size();
  weights.resize(count);
  biases.resize(count);
  squares.resize(count);
  for (const Step& step : steps) {
    const Node& node = network.nodes[step.node];
    if (node.instruction->op->layer == nullptr) continue;
    const Tensor& weight = node.parameters[0];
    const Tensor bias =
        node.parameters.size() > 1 ? node.parameters[1] : Tensor();
    if (step.absorbed < 0) {
      weights[step.node] = weight;
      biases[step.node] = bias;
      squares[step.node] = at::ones({weight.size(0)}, network.options());
      continue;
    }
    const Affine norm = evaluationAffine(network.nodes[step.absorbed]);
    std::vector<int64_t> shape(weight.dim(), 1);
    shape[0] = weight.size(0);
    weights[step.node] = weight * norm.scale.view(shape);
    biases[step.node] =
        bias.defined() ? norm.shift + bias * norm.scale : norm.shift;
    squares[step.node] = norm.scale * norm.scale;
  }
}

Run Folded::runOf(int node) const {
  Run run;
  run.isTraining = !trained.empty() && trained[node];
  run.syncsNorm = run.isTraining && groupWorld() > 1;
  return run;
}

Tensor forwardEvaluation(const Network& network, const Folded& folded,
                         const Tensor& x, Tape* tape) {
  Tape unkept;
  Tape& run = tape != nullptr ? *tape : unkept;
  run.slots.assign(network.nodes.size() + 1, Tensor());
  run.saved.assign(network.nodes.size(), Saved());
  run.slots[0] = x;
  const auto last = lastReaders(network, folded.steps);
  for (size_t i = 0; i < folded.steps.size(); ++i) {
    const Step& step = folded.steps[i];
    const Node& node = network.nodes[step.node];
    const Op& op = *node.instruction->op;
    const Tensors inputs = inputsOf(node, run);
    run.slots[step.out] =
        op.layer != nullptr ? op.layer->apply(node.attributes(), inputs[0],
                                              folded.weights[step.node],
                                              folded.biases[step.node])
        : op.isNorm && tape == nullptr
            ? op.forward(node, inputs, folded.runOf(step.node), nullptr)
            : op.forward(node, inputs, folded.runOf(step.node),
                         &run.saved[step.node]);
    if (tape == nullptr)
      for (const int slot : node.instruction->inputs)
        if (last[slot] == static_cast<int>(i)) run.slots[slot] = Tensor();
  }
  return run.slots[network.program.output];
}

Loss crossEntropy(const Tensor& logits, const Tensor& labels, double smoothing,
                  bool wantGrad) {
  const Tensor wide =
      logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  const Tensor logs = at::log_softmax(wide, 1);
  const double classes = static_cast<double>(logits.size(1));
  const Tensor index = labels.unsqueeze(1);
  Tensor sum = logs.gather(1, index).sum().neg() * (1 - smoothing);
  if (smoothing > 0) sum = sum - logs.sum() * (smoothing / classes);
  Loss loss{sum, Tensor()};
  if (wantGrad) {
    // (softmax - target) / N
    Tensor grad = logs.exp();
    if (smoothing > 0) grad.sub_(smoothing / classes);
    grad.scatter_add_(1, index,
                      at::full_like(index, smoothing - 1, grad.options()));
    loss.gradLogits =
        grad.div_(static_cast<double>(logits.size(0))).to(logits.scalar_type());
  }
  return loss;
}

}  // namespace splitgrow
