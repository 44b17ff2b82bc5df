// The native op table: one row for each op. Only this table and activations.cc
// look at names.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <optional>
#include <string>
#include <vector>

#include "ops/program.h"
#include "tensor/activations.h"

namespace splitgrow {

// One instruction with its tensors, as a pass runs it.
struct Node {
  const Instruction* instruction = nullptr;
  // In the order of the instruction's parameters; gradients of trained ones.
  std::vector<at::Tensor> parameters, gradients;
  // The node's own activation, or that of the activation a norm absorbed.
  const Activation* activation = nullptr;
  const Attributes& attributes() const { return instruction->attributes; }
};

// What a row of the table needs to know in one run.
struct Run {
  bool isTraining = false;
  bool isNarrow = false;   // layers and activations in bfloat16 (narrow.h)
  bool syncsNorm = false;  // batch norm over the minibatch of all ranks
  std::optional<at::Generator> random;  // for dropout; none: nothing is dropped
  // How far running statistics move to those of the minibatch. 0: not at all;
  // without a value: by the momentum of each norm.
  std::optional<double> statisticsMomentum;
};

// Tensors that the forward pass keeps for the backward pass.
using Saved = std::vector<at::Tensor>;
using Tensors = std::vector<at::Tensor>;

// The rows that have neurons.
struct Layer {
  at::Tensor (*apply)(const Attributes&, const at::Tensor& x,
                      const at::Tensor& weight, const at::Tensor& bias);
  // dL/dx, given dL/d(output)
  at::Tensor (*inputGrad)(const Attributes&, const at::Tensor& g,
                          const at::Tensor& x, const at::Tensor& weight);
  // dL/dweight
  at::Tensor (*weightGrad)(const Attributes&, const at::Tensor& g,
                           const at::Tensor& x, const at::Tensor& weight);
  // Rows that the weights of a neuron are multiplied with:
  // [positions, dimension], in the order of the weight's layout.
  at::Tensor (*patches)(const Attributes&, const at::Tensor& x,
                        const at::Tensor& weight);
};

// What an op is to the CPU engine (engine/plan.cc); kNone: it lacks it.
enum class Loops : uint8_t {
  kNone,
  kConvolution,
  kLinear,
  kNorm,
  kActivation,
  kAdd,
  kMaxPool,
  kAvgPool,
  kGlobalMean,
  kFlatten,
  kDropout,
};

struct Op {
  const char* name;
  at::Tensor (*forward)(const Node&, const Tensors& inputs, const Run&, Saved*);
  // Returns the gradients of the inputs; those that are not wanted stay
  // undefined. In a training run it sets node.gradients (and does not add to
  // them).
  Tensors (*backward)(const Node&, const at::Tensor& grad,
                      const Tensors& inputs, const Saved&, const Run&,
                      bool wantInput);
  const Layer* layer = nullptr;
  bool isNorm = false, isActivation = false;
  bool isRandom = false;  // draws on the host in training
  Loops loops = Loops::kNone;
};

const Op& findOp(const std::string& name);

// Scale and shift of a batch norm in evaluation mode, [C] each.
struct Affine {
  at::Tensor scale, shift;
};
Affine evaluationAffine(const Node& norm);

}  // namespace splitgrow
