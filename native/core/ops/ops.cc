// Rows of the op table without parameters, and the look-up.
#include "ops/ops.h"

#include "ops/layers.h"
#include "tensor/error.h"
#include "tensor/rows.h"

namespace splitgrow {

namespace {

using at::Tensor;

Tensor activationForward(const Node& node, const Tensors& in, const Run&,
                         Saved*) {
  return actOnly(*node.activation, in[0]);
}
Tensors activationBackward(const Node& node, const Tensor& grad,
                           const Tensors& in, const Saved&, const Run&, bool) {
  return {actOnlyGrad(*node.activation, in[0], grad)};
}

Tensor addForward(const Node&, const Tensors& in, const Run&, Saved*) {
  Tensor sum = in[0];
  for (size_t i = 1; i < in.size(); ++i) sum = sum + in[i];
  return sum;
}
Tensors addBackward(const Node&, const Tensor& grad, const Tensors& in,
                    const Saved&, const Run&, bool) {
  return Tensors(in.size(), grad);
}

Tensor maxPoolForward(const Node& node, const Tensors& in, const Run&,
                      Saved* saved) {
  const Attributes& a = node.attributes();
  auto [out, indices] =
      at::max_pool2d_with_indices(in[0], {a.kernel, a.kernel},
                                  {a.stride, a.stride}, {a.padding, a.padding});
  if (saved != nullptr) *saved = {indices};
  return out;
}
Tensors maxPoolBackward(const Node& node, const Tensor& grad, const Tensors& in,
                        const Saved& saved, const Run&, bool) {
  const Attributes& a = node.attributes();
  return {at::max_pool2d_with_indices_backward(
      grad, in[0], {a.kernel, a.kernel}, {a.stride, a.stride},
      {a.padding, a.padding}, {1, 1}, false, saved[0])};
}

Tensor avgPoolForward(const Node& node, const Tensors& in, const Run&, Saved*) {
  const Attributes& a = node.attributes();
  return at::avg_pool2d(in[0], {a.kernel, a.kernel}, {a.stride, a.stride},
                        {a.padding, a.padding});
}
Tensors avgPoolBackward(const Node& node, const Tensor& grad, const Tensors& in,
                        const Saved&, const Run&, bool) {
  const Attributes& a = node.attributes();
  return {at::avg_pool2d_backward(grad, in[0], {a.kernel, a.kernel},
                                  {a.stride, a.stride}, {a.padding, a.padding},
                                  false, true, std::nullopt)};
}

Tensor globalAvgPoolForward(const Node&, const Tensors& in, const Run&,
                            Saved*) {
  return in[0].mean({2, 3});
}
Tensors globalAvgPoolBackward(const Node&, const Tensor& grad,
                              const Tensors& in, const Saved&, const Run&,
                              bool) {
  const Tensor& x = in[0];
  const double share = 1.0 / static_cast<double>(x.size(2) * x.size(3));
  return {
      inLayout((grad * share).view({x.size(0), x.size(1), 1, 1}).expand_as(x))};
}

// Channel by channel, so that channel c owns consecutive features.
Tensor flattenForward(const Node&, const Tensors& in, const Run&, Saved*) {
  return in[0].contiguous().flatten(1);
}
Tensors flattenBackward(const Node&, const Tensor& grad, const Tensors& in,
                        const Saved&, const Run&, bool) {
  return {inLayout(grad.reshape(in[0].sizes()))};
}

Tensor dropoutForward(const Node& node, const Tensors& in, const Run& run,
                      Saved* saved) {
  const double keep = 1 - node.attributes().p;
  if (!run.isTraining || !run.random || keep == 1) {
    if (saved != nullptr) *saved = {};
    return in[0];
  }
  // Drawn on the host: the same mask on every device.
  Tensor draws = at::empty(in[0].sizes(), at::kFloat);
  draws.bernoulli_(keep, run.random).mul_(keep > 0 ? 1 / keep : 0);
  // What is kept is enlarged by a factor that bfloat16 would round.
  const Tensor mask = inLayout(draws.to(in[0].options().dtype(
      in[0].scalar_type() == at::kBFloat16 ? at::kFloat
                                           : in[0].scalar_type())));
  if (saved != nullptr) *saved = {mask};
  return (in[0] * mask).to(in[0].scalar_type());
}
Tensors dropoutBackward(const Node&, const Tensor& grad, const Tensors&,
                        const Saved& saved, const Run&, bool) {
  return {saved.empty() ? grad : (grad * saved[0]).to(grad.scalar_type())};
}

// NOLINTNEXTLINE(cppcoreguidelines-interfaces-global-init): addresses only
const Op kOps[] = {
    {.name = "conv2d",
     .forward = layerForward,
     .backward = layerBackward,
     .layer = &kConv2d,
     .loops = Loops::kConvolution},
    {.name = "linear",
     .forward = layerForward,
     .backward = layerBackward,
     .layer = &kLinear,
     .loops = Loops::kLinear},
    {.name = "batch_norm",
     .forward = normForward,
     .backward = normBackward,
     .isNorm = true,
     .loops = Loops::kNorm},
    {.name = "activation",
     .forward = activationForward,
     .backward = activationBackward,
     .isActivation = true,
     .loops = Loops::kActivation},
    {.name = "add",
     .forward = addForward,
     .backward = addBackward,
     .loops = Loops::kAdd},
    {.name = "max_pool",
     .forward = maxPoolForward,
     .backward = maxPoolBackward,
     .loops = Loops::kMaxPool},
    {.name = "avg_pool",
     .forward = avgPoolForward,
     .backward = avgPoolBackward,
     .loops = Loops::kAvgPool},
    {.name = "global_avg_pool",
     .forward = globalAvgPoolForward,
     .backward = globalAvgPoolBackward,
     .loops = Loops::kGlobalMean},
    {.name = "flatten",
     .forward = flattenForward,
     .backward = flattenBackward,
     .loops = Loops::kFlatten},
    {.name = "dropout",
     .forward = dropoutForward,
     .backward = dropoutBackward,
     .isRandom = true,
     .loops = Loops::kDropout},
};

}  // namespace

const Op& findOp(const std::string& name) {
  for (const Op& op : kOps)
    if (name == op.name) return op;
  throw Error("E_ARGUMENT", "unknown native op \"" + name + "\"");
}

}  // namespace splitgrow
