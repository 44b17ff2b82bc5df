// Convolution, linear and batch norm. Parameters stand in the order that
// lib/graph/ops.ts gives them: weight, bias; weight, bias, running_mean,
// running_var.
#include "ops/layers.h"

#include "ranks/group.h"
#include "tensor/accelerator.h"
#include "tensor/error.h"
#include "tensor/rows.h"
#include "tensor/threads.h"

namespace splitgrow {

namespace {

using at::Tensor;

// A convolution of at least this much work, some 0.2 ms of one thread, is
// shared among threads. For less, waking the other threads costs as much as
// they save, and many times as much beside other work. The work follows from
// shapes alone, so that results do not depend on what else the machine does.
constexpr double kLeastShared = 6e6;
// In multiply-accumulates; a value that is read or written counts as 10.
constexpr double kTouched = 10;

bool isShort(const Attributes& a, const Tensor& x, const Tensor& weight) {
  if (!x.is_cpu()) return false;
  // In double, which cannot overflow: LibTorch refuses sizes that are too
  // large, but later.
  auto positions = static_cast<double>(x.size(0));
  for (const int64_t axis : {2, 3})
    positions *= static_cast<double>(
        (x.size(axis) + 2 * a.padding - weight.size(axis)) / a.stride + 1);
  const double touched = static_cast<double>(x.numel()) +
                         positions * static_cast<double>(weight.size(0));
  return positions * static_cast<double>(weight.numel()) + kTouched * touched <
         kLeastShared;
}

std::array<Tensor, 3> convBackward(const Attributes& a, const Tensor& g,
                                   const Tensor& x, const Tensor& weight,
                                   std::array<bool, 3> mask) {
  const OneThread keep(isShort(a, x, weight));
  auto [dx, dw, db] = at::convolution_backward(
      g, x, weight, at::OptionalIntArrayRef({weight.size(0)}),
      {a.stride, a.stride}, {a.padding, a.padding}, {1, 1}, false, {0, 0},
      a.groups, mask);
  return {dx, dw, db};
}

Tensor convApply(const Attributes& a, const Tensor& x, const Tensor& weight,
                 const Tensor& bias) {
  const OneThread keep(isShort(a, x, weight));
  return inLayout(at::conv2d(x, weight, bias, {a.stride, a.stride},
                             {a.padding, a.padding}, {1, 1}, a.groups));
}
Tensor convInputGrad(const Attributes& a, const Tensor& g, const Tensor& x,
                     const Tensor& weight) {
  return convBackward(a, g, x, weight, {true, false, false})[0];
}
Tensor convWeightGrad(const Attributes& a, const Tensor& g, const Tensor& x,
                      const Tensor& weight) {
  return convBackward(a, g, x, weight, {false, true, false})[1];
}

// [N, Ho, Wo, C * k * k] by strides over the padded image, then copied.
Tensor convPatches(const Attributes& a, const Tensor& x, const Tensor& weight) {
  require(a.groups == 1, "E_INTERNAL", "patches of a grouped convolution");
  require(weight.dim() == 4 && weight.size(2) == weight.size(3), "E_INTERNAL",
          "patches of a kernel that is not square");
  const int64_t k = weight.size(2);
  Tensor padded = inLayout(
      a.padding == 0 ? x
                     : at::constant_pad_nd(
                           x, {a.padding, a.padding, a.padding, a.padding}, 0));
  const int64_t n = x.size(0), c = x.size(1);
  const int64_t rows = (padded.size(2) - k) / a.stride + 1;
  const int64_t columns = (padded.size(3) - k) / a.stride + 1;
  const auto s = padded.strides();
  return padded
      .as_strided({n, rows, columns, c, k, k},
                  {s[0], s[2] * a.stride, s[3] * a.stride, s[1], s[2], s[3]})
      .reshape({n * rows * columns, c * k * k});
}

Tensor linearApply(const Attributes&, const Tensor& x, const Tensor& weight,
                   const Tensor& bias) {
  return bias.defined() ? at::addmm(bias, x, weight.t())
                        : at::mm(x, weight.t());
}
Tensor linearInputGrad(const Attributes&, const Tensor& g, const Tensor&,
                       const Tensor& weight) {
  return at::mm(g, weight);
}
Tensor linearWeightGrad(const Attributes&, const Tensor& g, const Tensor& x,
                        const Tensor&) {
  return at::mm(g.t(), x);
}
Tensor linearPatches(const Attributes&, const Tensor& x, const Tensor&) {
  return x;
}

std::vector<int64_t> allButChannels(const Tensor& x) {
  return x.dim() == 4 ? std::vector<int64_t>{0, 2, 3} : std::vector<int64_t>{0};
}

// Values a channel.
double countOf(const Tensor& x) {
  return static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
}

struct BatchMoments {
  Moments moments;
  double count;  // values a channel
};
// The moments of this rank's values or, with `syncs`, of the values of all
// ranks.
BatchMoments batchMoments(const Tensor& x, bool syncs) {
  const Moments ofThisRank = moments(x);
  const double count = countOf(x);
  if (!syncs) return {ofThisRank, count};
  const Tensor mean = ofThisRank.mean.to(at::kDouble);
  const Tensor all =
      at::cat({mean * count,
               (ofThisRank.variance.to(at::kDouble) + mean * mean) * count,
               at::full({1}, count, mean.options())});
  sumOverGroup(all);
  const int64_t c = x.size(1);
  const double total = all[2 * c].item<double>();
  const Tensor m = all.narrow(0, 0, c) / total;
  const Tensor v = (all.narrow(0, c, c) / total - m * m).clamp_min(0);
  const at::ScalarType type = ofThisRank.mean.scalar_type();
  return {{m.to(type), v.to(type)}, total};
}

// The accelerator, if it can do all of this batch norm's training.
const Accelerator* fastNorm(const Node& node, const Tensor& x, const Run& run) {
  const bool isForOneRank = run.isTraining && !run.syncsNorm &&
                            node.parameters[0].scalar_type() == at::kFloat;
  return isForOneRank ? acceleratorFor(x) : nullptr;
}

void requireSeveral(const Node& node, int64_t count) {
  require(count > 1, "E_ARGUMENT", node.instruction->id,
          ": batch norm in training needs more than one value a channel; ",
          "use a larger batch");
}

}  // namespace

const Layer kConv2d = {convApply, convInputGrad, convWeightGrad, convPatches};
const Layer kLinear = {linearApply, linearInputGrad, linearWeightGrad,
                       linearPatches};

Tensor layerForward(const Node& node, const Tensors& in, const Run&, Saved*) {
  const Tensor bias =
      node.parameters.size() > 1 ? node.parameters[1] : Tensor();
  return node.instruction->op->layer->apply(node.attributes(), in[0],
                                            node.parameters[0], bias);
}

Tensors layerBackward(const Node& node, const Tensor& grad, const Tensors& in,
                      const Saved&, const Run& run, bool wantInput) {
  const Layer& layer = *node.instruction->op->layer;
  const Attributes& a = node.attributes();
  const Tensor& weight = node.parameters[0];
  if (run.isTraining) {
    node.gradients[0].copy_(layer.weightGrad(a, grad, in[0], weight));
    if (node.parameters.size() > 1)
      node.gradients[1].copy_(grad.sum(allButChannels(grad), false,
                                       node.gradients[1].scalar_type()));
  }
  if (!wantInput) return {Tensor()};
  return {layer.inputGrad(a, grad, in[0], weight)};
}

Affine evaluationAffine(const Node& norm) {
  const auto& p = norm.parameters;
  const Tensor scale = p[0] / at::sqrt(p[3] + norm.attributes().eps);
  return {scale, p[1] - p[2] * scale};
}

// Batch norm (with the activation it absorbed, if any): the normalised value
// is never stored; backward computes it again from the input.
Tensor normForward(const Node& node, const Tensors& in, const Run& run,
                   Saved* saved) {
  const Tensor& x = in[0];
  const auto& p = node.parameters;
  for (const Tensor& each : p)  // the loops trust it
    require(each.dim() == 1 && each.size(0) == x.size(1), "E_ARGUMENT",
            node.instruction->id, ": expected ", x.size(1),
            " values a parameter, found ", each.sizes());
  Affine affine;
  const Accelerator* const fast = fastNorm(node, x, run);
  if (fast != nullptr) {
    requireSeveral(node, x.numel() / x.size(1));
    const NormState s =
        fast->norm(x, p[0], p[1], p[2], p[3], node.attributes().eps,
                   run.statisticsMomentum.value_or(node.attributes().momentum));
    affine = {s.scale, s.shift};
    if (saved != nullptr) *saved = {s.scale, s.shift, s.mean, s.inverse};
  } else if (run.isTraining) {
    const auto [m, count] = batchMoments(x, run.syncsNorm);
    requireSeveral(node, static_cast<int64_t>(count));
    const double momentum =
        run.statisticsMomentum.value_or(node.attributes().momentum);
    if (momentum != 0) {
      p[2].mul_(1 - momentum).add_(m.mean, momentum);
      p[3].mul_(1 - momentum).add_(m.variance, momentum * count / (count - 1));
    }
    const Tensor inverse = at::rsqrt(m.variance + node.attributes().eps);
    affine.scale = p[0] * inverse;
    affine.shift = p[1] - m.mean * affine.scale;
    if (saved != nullptr)
      *saved = {affine.scale, affine.shift, m.mean, inverse};
  } else {
    affine = evaluationAffine(node);
    if (saved != nullptr) *saved = {affine.scale, affine.shift};
  }
  return affineAct(*node.activation, x, affine.scale, affine.shift);
}

Tensors normBackward(const Node& node, const Tensor& grad, const Tensors& in,
                     const Saved& saved, const Run& run, bool wantInput) {
  const Tensor& x = in[0];
  const Tensor &scale = saved[0], &shift = saved[1];
  if (!run.isTraining) {
    const Tensor dz =
        actGrad(*node.activation, x, grad, scale, shift, shift).dz;
    return {(dz * perChannel(scale, x)).to(x.scalar_type())};
  }
  const Tensor &mean = saved[2], &inverse = saved[3];
  if (const Accelerator* const fast = fastNorm(node, x, run))
    return {fast->normGrad(node.activation->loop, x, grad,
                           {scale, shift, mean, inverse}, node.gradients[0],
                           node.gradients[1], wantInput)};
  const ActGrad d = actGrad(*node.activation, x, grad, scale, shift, mean);
  node.gradients[0].copy_(d.dot * inverse);
  node.gradients[1].copy_(d.sum);
  if (!wantInput) return {Tensor()};
  // dx = scale * (dz - mean(dz) - xhat * mean(dz * xhat))
  Tensor sum = d.sum, dot = d.dot;
  double count = countOf(x);
  if (run.syncsNorm) {
    const Tensor all = at::cat({sum, dot, at::full({1}, count, sum.options())})
                           .to(at::kDouble);
    sumOverGroup(all);
    const int64_t c = x.size(1);
    sum = all.narrow(0, 0, c).to(sum.scalar_type());
    dot = all.narrow(0, c, c).to(sum.scalar_type());
    count = all[2 * c].item<double>();
  }
  const Tensor b = scale * inverse * inverse * dot / -count;
  return {combine(x, d.dz, scale, b, -(scale * sum / count + b * mean))};
}

}  // namespace splitgrow
