// Checks of shapes.
#include "engine/shapes.h"

#include "tensor/error.h"

namespace splitgrow::engine {

int64_t positions(const Instruction& instruction, int64_t size,
                  int64_t kernel) {
  const Attributes& a = instruction.attributes;
  require(a.stride > 0 && a.padding >= 0 && kernel > 0 &&
              size + 2 * a.padding >= kernel,
          "E_ARGUMENT", instruction.id, ": a window of ", kernel, ", padding ",
          a.padding, " and stride ", a.stride, " does not fit an input of ",
          size);
  return (size + 2 * a.padding - kernel) / a.stride + 1;
}

void requireShape(const Node& node, size_t which,
                  const std::vector<int64_t>& shape) {
  const Instruction& instruction = *node.instruction;
  require(node.parameters.size() > which &&
              node.parameters[which].sizes() == at::IntArrayRef(shape),
          "E_ARGUMENT", instruction.id, ": expected a parameter of shape ",
          at::IntArrayRef(shape), ", found ",
          node.parameters.size() > which
              ? at::IntArrayRef(node.parameters[which].sizes())
              : at::IntArrayRef());
}

void requireLayer(const Node& node, const Map& in, bool isLinear) {
  const Instruction& instruction = *node.instruction;
  const Attributes& a = instruction.attributes;
  require(!node.parameters.empty() &&
              node.parameters[0].dim() == (isLinear ? 2 : 4),
          "E_ARGUMENT", instruction.id, ": expected a weight of ",
          isLinear ? 2 : 4, " axes");
  const int64_t out = node.parameters[0].size(0);
  if (isLinear) {
    require(in.pixels() == 1, "E_ARGUMENT", instruction.id,
            ": expected a vector, found a map of ", in.pixels(), " pixels");
    requireShape(node, 0, {out, in.channels});
  } else {
    const int64_t k = node.parameters[0].size(2);
    require(a.groups > 0 && in.channels % a.groups == 0 && out % a.groups == 0,
            "E_ARGUMENT", instruction.id, ": groups ", a.groups,
            " do not divide ", in.channels, " inputs and ", out, " outputs");
    requireShape(node, 0, {out, in.channels / a.groups, k, k});
  }
  if (node.parameters.size() > 1) requireShape(node, 1, {out});
}

}  // namespace splitgrow::engine
