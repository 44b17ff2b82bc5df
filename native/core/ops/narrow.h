// Training passes in bfloat16, as torch.autocast has them: layers multiply
// rounded weights with rounded activations; weights, batch norm's statistics
// and arithmetic, gradients of parameters and the loss stay in float32.
#pragma once

#include "ops/net.h"

namespace splitgrow {

// Multiplies bfloat16 in hardware: CPUs with AVX512-BF16 or AMX, GPUs of
// compute capability 8 or more.
bool hasBFloat16(const at::Device& device);

// What passes over `network` multiply in: "float32" (float64 networks too) or
// "bfloat16". Throws Error{E_DEVICE} where the device has none of it, and
// Error{E_ARGUMENT} for another name or a float64 network.
at::ScalarType precisionOf(const std::string& name, const Network& network);

// Rounds the weights anew for passes with `isNarrow`; before every step.
void narrow(Network* network);

}  // namespace splitgrow
