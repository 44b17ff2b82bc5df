// The flat program that lib/graph/lower.ts makes: every shape is decided there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace splitgrow {

struct Op;

struct Initial {
  enum class Kind { kConstant, kNormal, kUniform } kind = Kind::kConstant;
  double value = 0;  // the constant, the standard deviation or the bound
};

struct ParameterSpec {
  std::string name;  // "<node id>.<parameter>"
  std::vector<int64_t> shape;
  Initial initial;
  bool isTrained = true;
};

// The numbers of an op. All ops share this record, and each reads the fields
// that it needs.
struct Attributes {
  int64_t stride = 1, padding = 0, groups = 1, kernel = 1;
  double eps = 0, momentum = 0;  // of a norm, which must give both
  double p = 0;
  std::string kind;
};

struct Instruction {
  std::string id;
  const Op* op = nullptr;
  std::vector<int> inputs;  // slots; this instruction writes slot index + 1
  Attributes attributes;
  std::vector<ParameterSpec> parameters;
};

// layer -> [batch norm] -> [activation], as indices of instructions; -1:
// absent. For conv (0) -> bn (1) -> relu (2): layer 0, batchNorm 1, activation
// 2, end() 2. For the last linear layer (7) alone: layer 7, batchNorm -1,
// activation -1, end() 7. `neurons` x `dimension` is the shape of its weights
// as a matrix.
struct Chain {
  std::string id;
  int layer = -1, batchNorm = -1, activation = -1;
  int64_t neurons = 0, dimension = 0;
  int end() const {
    return activation >= 0 ? activation : batchNorm >= 0 ? batchNorm : layer;
  }
};

struct Program {
  std::vector<int64_t> inputShape;
  int64_t classes = 0;
  std::vector<Instruction> instructions;
  int output = 0;  // slot
  std::vector<Chain> chains;
};

}  // namespace splitgrow
