// Ops that the engine lacks, by their rows of the op table.
#pragma once

#include "engine/map.h"
#include "ops/ops.h"

namespace splitgrow::engine {

// What an op is to the engine. SPLITGROW_ENGINE_WITHOUT names ops that are
// taken for ones that it lacks: so they are timed, and held against each other.
Loops loopsOf(const Op& op);

// Whether the engine runs it by its row: norms, activations and what draws
// random numbers need more than that.
bool isForeign(const Op& op);

// The output's shape for one image of zeros: [1, C, H, W] or [1, C].
std::vector<int64_t> shapeOf(const Node& node,
                             const std::vector<std::vector<int64_t>>& inputs);

}  // namespace splitgrow::engine
