// Rows with parameters: the layers that have neurons, and batch norm.
#pragma once

#include "ops/ops.h"

namespace splitgrow {

extern const Layer kConv2d;
extern const Layer kLinear;

at::Tensor layerForward(const Node&, const Tensors&, const Run&, Saved*);
Tensors layerBackward(const Node&, const at::Tensor&, const Tensors&,
                      const Saved&, const Run&, bool);
at::Tensor normForward(const Node&, const Tensors&, const Run&, Saved*);
Tensors normBackward(const Node&, const at::Tensor&, const Tensors&,
                     const Saved&, const Run&, bool);

}  // namespace splitgrow
