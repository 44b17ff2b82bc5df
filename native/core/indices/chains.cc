// The pass that shows every chain its input and its curvature.
#include "indices/indices.h"
#include "tensor/error.h"
#include "tensor/rows.h"

namespace splitgrow {

using at::Tensor;

Curvature ChainView::curvatureOf(const Tensor& u, bool wantGz) const {
  if (activation != nullptr && !activation->isLinear)
    return curvature(*activation, z, g, u, square, beta, wantGz);
  Tensor p = g * perChannel(square * identityCurvature, g);
  if (u.defined()) p = p * u;
  return {g, p};
}

bool isFlat(const Network& network, const Chain& chain,
            double identityCurvature) {
  ChainView view;
  if (chain.activation >= 0)
    view.activation = network.nodes[chain.activation].activation;
  view.identityCurvature = identityCurvature;
  return view.isFlat();
}

void sweepChains(const Network& network, const Folded& folded,
                 const Batch& batch, const std::vector<bool>& wanted,
                 const IndicesOptions& options, double share,
                 const Visit& visit) {
  const auto& nodes = network.nodes;
  std::vector<int> chainAt(nodes.size() + 1, -1);  // by the slot of its end
  for (size_t i = 0; i < network.program.chains.size(); ++i)
    if (wanted[i])
      chainAt[network.program.chains[i].end() + 1] = static_cast<int>(i);

  Tape tape;
  const Tensor logits = forwardEvaluation(network, folded, batch.images, &tape);
  Loss loss = crossEntropy(logits, batch.labels, 0, true);
  if (share != 1) loss.gradLogits.mul_(share);

  Tensors grads(nodes.size() + 1);
  grads[network.program.output] = loss.gradLogits;
  const auto view = [&](int index, const Tensor& g) {
    const Chain& chain = network.program.chains[index];
    const Node& layer = nodes[chain.layer];
    ChainView v;
    v.chain = index;
    v.layer = layer.instruction->op->layer;
    v.attributes = &layer.attributes();
    v.x = tape.slots[layer.instruction->inputs[0]];
    v.weight = layer.parameters[0];
    v.g = g;
    if (chain.activation >= 0) {
      v.activation = nodes[chain.activation].activation;
      v.z = tape.slots[nodes[chain.activation].instruction->inputs[0]];
    }
    v.square = folded.squares[chain.layer];
    v.beta = options.reluBeta;
    v.identityCurvature = options.identityCurvature;
    return v;
  };

  const auto& steps = folded.steps;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const Node& node = nodes[step->node];
    const Op& op = *node.instruction->op;
    const auto& slots = node.instruction->inputs;
    const Tensor grad = std::move(grads[step->out]);
    grads[step->out] = Tensor();
    tape.slots[step->out] = Tensor();
    if (!grad.defined()) continue;
    const int chain = chainAt[step->out];
    Tensor gz;
    if (chain >= 0) gz = visit(view(chain, grad));
    bool wantInput = false;
    for (const int slot : slots) wantInput |= slot != 0;
    if (!wantInput) continue;
    Tensors back;
    if (op.layer != nullptr)
      back = {op.layer->inputGrad(node.attributes(), grad, tape.slots[slots[0]],
                                  folded.weights[step->node])};
    else if (chain >= 0 && gz.defined())
      back = {gz};
    else
      back =
          op.backward(node, grad, inputsOf(node, tape), tape.saved[step->node],
                      folded.runOf(step->node), true);
    for (size_t i = 0; i < slots.size(); ++i) {
      if (slots[i] == 0) continue;
      Tensor& to = grads[slots[i]];
      to = to.defined() ? to + back[i] : back[i];
    }
  }
}

}  // namespace splitgrow
