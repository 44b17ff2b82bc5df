// Reads a program from JavaScript and checks that it cannot harm the core.
#include <algorithm>
#include <set>

#include "bind/boundary.h"
#include "bind/options.h"
#include "ops/ops.h"

namespace splitgrow {

namespace {

Initial readInitial(const Napi::Value& value) {
  const Napi::Object object = readObject(value, "initial");
  const std::string kind = readString(object, "kind");
  if (kind == "normal")
    return {Initial::Kind::kNormal, readNumber(object, "std")};
  if (kind == "uniform")
    return {Initial::Kind::kUniform, readNumber(object, "bound")};
  require(kind == "constant", "E_ARGUMENT", "unknown initial \"", kind, "\"");
  return {Initial::Kind::kConstant, readNumber(object, "value")};
}

Attributes readAttributes(const Napi::Object& object, bool isNorm) {
  Attributes a;
  const auto integer = [&](const char* name, int64_t least, int64_t* to) {
    if (object.Has(name)) *to = readInteger(object, name, least, kMost);
  };
  integer("stride", 1, &a.stride);
  integer("padding", 0, &a.padding);
  integer("groups", 1, &a.groups);
  integer("kernel", 1, &a.kernel);
  if (isNorm) {
    a.eps = readFinite(object, "eps");
    a.momentum = readFinite(object, "momentum");
  }
  if (object.Has("p")) a.p = readNumber(object, "p");
  if (object.Has("kind")) a.kind = readString(object, "kind");
  return a;
}

Instruction readInstruction(const Napi::Value& value, int slots) {
  const Napi::Object object = readObject(value, "instruction");
  Instruction instruction;
  instruction.id = readString(object, "id");
  instruction.op = &findOp(readString(object, "op"));
  for (const int64_t slot :
       readIntegers(field(object, "inputs"), "instruction.inputs")) {
    require(slot >= 0 && slot < slots, "E_ARGUMENT", instruction.id, ": slot ",
            slot, " is not written yet");
    instruction.inputs.push_back(static_cast<int>(slot));
  }
  require(!instruction.inputs.empty(), "E_ARGUMENT", instruction.id,
          ": no inputs");
  instruction.attributes =
      readAttributes(readObject(field(object, "attributes"), "attributes"),
                     instruction.op->isNorm);
  const Napi::Array parameters =
      readArray(field(object, "parameters"), "parameters");
  for (uint32_t i = 0; i < parameters.Length(); ++i) {
    const Napi::Object p = readObject(parameters[i], "parameter");
    instruction.parameters.push_back(
        {readString(p, "name"),
         readIntegers(field(p, "shape"), "parameter.shape"),
         readInitial(field(p, "initial")), readBool(p, "isTrained")});
  }
  const size_t count = instruction.parameters.size();
  require(instruction.op->isNorm
              ? count == 4
              : instruction.op->layer == nullptr || count > 0,
          "E_ARGUMENT", instruction.id, ": ", count,
          " parameters are not what the op needs");
  return instruction;
}

// The loops over chains trust two things: each member of a chain reads the one
// before it, and the sizes of the chain are those of its layer.
void checkChain(const Program& program, const Chain& chain) {
  const auto& all = program.instructions;
  const auto isNext = [&](int member, int before, bool isKind) {
    return member < 0 ||
           (isKind && all[member].inputs == std::vector<int>{before + 1});
  };
  const auto op = [&](int member) { return all[std::max(member, 0)].op; };
  const int last = chain.batchNorm >= 0 ? chain.batchNorm : chain.layer;
  require(
      chain.layer >= 0 && op(chain.layer)->layer != nullptr &&
          isNext(chain.batchNorm, chain.layer, op(chain.batchNorm)->isNorm) &&
          isNext(chain.activation, last, op(chain.activation)->isActivation),
      "E_ARGUMENT", "chain ", chain.id,
      " is not a layer, its batch norm and its activation");
  int64_t dimension = 1;
  const auto& shape = all[chain.layer].parameters[0].shape;
  for (size_t i = 1; i < shape.size(); ++i) dimension *= shape[i];
  require(!shape.empty() && shape[0] == chain.neurons &&
              dimension == chain.dimension,
          "E_ARGUMENT", "chain ", chain.id, " has not the size of its layer");
}

int readMember(const Napi::Object& object, const char* name, size_t count) {
  const int64_t slot =
      readInteger(object, name, -1, static_cast<int64_t>(count));
  return slot < 1 ? -1 : static_cast<int>(slot) - 1;
}

}  // namespace

Program readProgram(const Napi::Value& value) {
  const Napi::Object object = readObject(value, "program");
  Program program;
  program.inputShape =
      readIntegers(field(object, "inputShape"), "program.inputShape");
  require(program.inputShape.size() == 3, "E_ARGUMENT",
          "program.inputShape must be [channels, height, width]");
  program.classes = readInteger(object, "classes", 1, kMost);
  const Napi::Array list =
      readArray(field(object, "instructions"), "program.instructions");
  for (uint32_t i = 0; i < list.Length(); ++i)
    program.instructions.push_back(
        readInstruction(list[i], static_cast<int>(i) + 1));
  const size_t count = program.instructions.size();
  require(count > 0, "E_ARGUMENT", "program.instructions is empty");
  program.output = static_cast<int>(
      readInteger(object, "output", 1, static_cast<int64_t>(count)));
  const Napi::Array chains =
      readArray(field(object, "chains"), "program.chains");
  for (uint32_t i = 0; i < chains.Length(); ++i) {
    const Napi::Object c = readObject(chains[i], "chain");
    Chain chain;
    chain.id = readString(c, "id");
    chain.layer = readMember(c, "layer", count);
    chain.batchNorm = readMember(c, "batchNorm", count);
    chain.activation = readMember(c, "activation", count);
    chain.neurons = readInteger(c, "neurons", 1, kMost);
    chain.dimension = readInteger(c, "dimension", 1, kMost);
    checkChain(program, chain);
    program.chains.push_back(chain);
  }
  return program;
}

}  // namespace splitgrow
