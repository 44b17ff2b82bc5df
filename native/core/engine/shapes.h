// Shapes that a program claims, held against its parameters. JavaScript decided
// them, but the loops trust them and would write beyond their memory.
#pragma once

#include "engine/map.h"
#include "ops/ops.h"

namespace splitgrow::engine {

// Places of a window along one axis. Throws Error{E_ARGUMENT} where it does not
// fit.
int64_t positions(const Instruction& instruction, int64_t size, int64_t kernel);

// Throws Error{E_ARGUMENT} unless that parameter has this shape.
void requireShape(const Node& node, size_t which,
                  const std::vector<int64_t>& shape);

// Throws Error{E_ARGUMENT} unless the parameters of a convolution or of a
// linear layer fit its input.
void requireLayer(const Node& node, const Map& in, bool isLinear);

}  // namespace splitgrow::engine
