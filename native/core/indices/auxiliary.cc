// The paper's auxiliary activation, taken literally: every neuron's output
// sigma(z) becomes sigma(z) + sigma''(z) c^2 (x . v) (x . y) with a new y = 0;
// the gradient of the loss with respect to all y at once is S v. It is slower
// than the closed form in rayleigh.cc; tests compare the two.
#include <torch/csrc/autograd/autograd.h>

#include "indices/indices.h"
#include "tensor/rows.h"

namespace splitgrow {

using at::Tensor;

Tensors auxiliaryProducts(const Network& network, const Folded& folded,
                          const Batch& batch, const std::vector<bool>& wanted,
                          const Tensors& directions,
                          const IndicesOptions& options) {
  const at::AutoGradMode withGrad(true);
  const auto& nodes = network.nodes;
  const auto& chains = network.program.chains;
  std::vector<int> chainAt(nodes.size() + 1, -1);
  Tensors y(chains.size());
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!wanted[i]) continue;
    chainAt[chains[i].end() + 1] = static_cast<int>(i);
    y[i] = at::zeros_like(directions[i]).requires_grad_(true);
  }
  Tape tape;
  tape.slots.assign(nodes.size() + 1, Tensor());
  tape.slots[0] = batch.images;
  for (const Step& step : folded.steps) {
    const Node& node = nodes[step.node];
    const Op& op = *node.instruction->op;
    const Tensors inputs = inputsOf(node, tape);
    Tensor out = op.layer != nullptr
                     ? op.layer->apply(node.attributes(), inputs[0],
                                       folded.weights[step.node],
                                       folded.biases[step.node])
                     : op.forward(node, inputs, {}, nullptr);
    const int index = chainAt[step.out];
    if (index >= 0) {
      const Chain& chain = chains[index];
      const Node& layer = nodes[chain.layer];
      const Tensor& x = tape.slots[layer.instruction->inputs[0]];
      const auto product = [&](const Tensor& w) {
        return layer.instruction->op->layer->apply(
            layer.attributes(), x, w.view_as(layer.parameters[0]), Tensor());
      };
      const Activation* act =
          chain.activation >= 0 ? nodes[chain.activation].activation : nullptr;
      const Tensor& z =
          act != nullptr
              ? tape.slots[nodes[chain.activation].instruction->inputs[0]]
              : out;
      const Tensor second = act != nullptr && !act->isLinear
                                ? act->second(z, options.reluBeta)
                                : at::full_like(z, options.identityCurvature);
      out = out + second * perChannel(folded.squares[chain.layer], z) *
                      product(directions[index]) * product(y[index]);
    }
    tape.slots[step.out] = out;
  }
  const Tensor loss =
      at::cross_entropy_loss(tape.slots[network.program.output], batch.labels);
  std::vector<Tensor> leaves;
  for (const Tensor& leaf : y)
    if (leaf.defined()) leaves.push_back(leaf);
  const auto grads = torch::autograd::grad({loss}, leaves, {}, std::nullopt,
                                           false, /*allow_unused=*/true);
  Tensors products(chains.size());
  size_t at = 0;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!wanted[i]) continue;
    const Tensor& grad = grads[at++];
    products[i] = grad.defined() ? grad.detach().contiguous()
                                 : at::zeros_like(directions[i]);
  }
  return products;
}

}  // namespace splitgrow
