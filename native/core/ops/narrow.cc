// Rounds weights to bfloat16, and says which devices multiply it.
#include "ops/narrow.h"

#include <ATen/cpu/Utils.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "tensor/error.h"

namespace splitgrow {

bool hasBFloat16(const at::Device& device) {
  if (device.is_cpu()) {
    const auto found = at::cpu::get_cpu_capabilities();
    for (const char* name : {"avx512_bf16", "amx_bf16"})
      if (const auto row = found.find(name);
          row != found.end() && row->second.toBool())
        return true;
    return false;
  }
  // Asks for compute capability 8.0.
  return at::hasCUDA() &&
         at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
}

at::ScalarType precisionOf(const std::string& name, const Network& network) {
  if (name == "float32") return network.dtype;
  require(name == "bfloat16", "E_ARGUMENT",
          "`precision` must be float32 or bfloat16, found ", name);
  require(network.dtype == at::kFloat, "E_ARGUMENT",
          "bfloat16 rounds float32 networks, found ", network.dtype);
  require(hasBFloat16(network.device), "E_DEVICE", "precision bfloat16: this ",
          network.device.is_cpu()
              ? "processor has neither AVX512-BF16 nor AMX"
              : "GPU multiplies none (compute capability 8.0 does)",
          "; take float32, or auto for bfloat16 where there is any");
  return at::kBFloat16;
}

void narrow(Network* network) {
  if (network->narrowed.defined()) {
    network->narrowed.copy_(network->values);
    return;
  }
  network->narrowed = network->values.to(at::kBFloat16);
  network->narrowNodes = network->nodes;
  for (Node& node : network->narrowNodes) {
    if (node.instruction->op->layer == nullptr) continue;
    for (at::Tensor& view : node.parameters)
      view = network->narrowed.narrow(0, view.storage_offset(), view.numel())
                 .view(view.sizes());
  }
}

}  // namespace splitgrow
