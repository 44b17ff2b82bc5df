// Holds a network's tensors: one buffer for all trained parameters.
#include "ops/net.h"

#include <ATen/CPUGeneratorImpl.h>

#include <set>

#include "tensor/error.h"

namespace splitgrow {

namespace {

constexpr int64_t kMostCount = int64_t{1} << 40;

int64_t countOf(const ParameterSpec& spec) {
  int64_t count = 1;
  for (const int64_t size : spec.shape) {
    require(size >= 1 && count <= kMostCount / size, "E_ARGUMENT", spec.name,
            ": impossible shape");
    count *= size;
  }
  return count;
}

// What `decay: "weights"` decays: weights of layers, not those of norms.
bool isDecayed(const ParameterSpec& spec) { return spec.shape.size() > 1; }

}  // namespace

Network::Network(Program program_, at::Device device_, at::ScalarType dtype_)
    : program(std::move(program_)), device(device_), dtype(dtype_) {
  int64_t other = 0, moving = 0;
  int64_t all = 0;
  for (const auto& instruction : program.instructions)
    for (const auto& spec : instruction.parameters) {
      const int64_t count = countOf(spec);
      all += count;
      require(all <= kMostCount, "E_ARGUMENT", spec.name,
              ": the program's tensors are larger than any memory");
      (!spec.isTrained ? moving : isDecayed(spec) ? decayed : other) += count;
    }
  values = at::zeros({decayed + other}, options());
  gradients = at::zeros({decayed + other}, options());
  statistics = at::zeros({moving}, options());

  int64_t nextDecayed = 0, nextOther = decayed, nextMoving = 0;
  std::set<std::string> names;
  for (const auto& instruction : program.instructions) {
    Node node;
    node.instruction = &instruction;
    const bool takesActivation =
        instruction.op->isActivation || instruction.op->isNorm;
    if (takesActivation)
      node.activation = &findActivation(instruction.op->isActivation
                                            ? instruction.attributes.kind
                                            : "identity");
    for (const auto& spec : instruction.parameters) {
      require(names.insert(spec.name).second, "E_ARGUMENT", spec.name,
              ": named twice");
      const int64_t count = countOf(spec);
      int64_t& next = !spec.isTrained   ? nextMoving
                      : isDecayed(spec) ? nextDecayed
                                        : nextOther;
      const at::Tensor& buffer = spec.isTrained ? values : statistics;
      const at::Tensor view = buffer.narrow(0, next, count).view(spec.shape);
      node.parameters.push_back(view);
      node.gradients.push_back(
          spec.isTrained ? gradients.narrow(0, next, count).view(spec.shape)
                         : at::Tensor());
      places.push_back({spec.name, view, spec.isTrained, next});
      next += count;
    }
    nodes.push_back(std::move(node));
  }
  plan();
}

std::vector<Step> Network::steps(
    const std::function<bool(int, int)>& absorbs) const {
  const int count = static_cast<int>(nodes.size());
  std::vector<int> readers(count + 1, 0), reader(count + 1, -1);
  for (int i = 0; i < count; ++i)
    for (const int slot : nodes[i].instruction->inputs) {
      ++readers[slot];
      reader[slot] = i;
    }
  // The only reader of the value of node i; none if that value is the output
  // too.
  const auto follower = [&](int i) {
    return readers[i + 1] == 1 && program.output != i + 1 ? reader[i + 1] : -1;
  };
  std::vector<Step> list;
  std::vector<bool> isGone(count, false);
  for (int i = 0; i < count; ++i) {
    if (isGone[i]) continue;
    const int next = follower(i);
    const bool both = next >= 0 && absorbs(i, next);
    if (both) isGone[next] = true;
    list.push_back({i, both ? next : -1, (both ? next : i) + 1});
  }
  return list;
}

std::vector<Step> Network::evaluationStepsWith(
    const std::vector<bool>& isApart) const {
  // If no layer absorbs a norm, the norm absorbs its activation here as in
  // training: its row applies nodes[i].activation in both modes.
  return steps([&](int i, int next) {
    const Op& first = *nodes[i].instruction->op;
    const Op& second = *nodes[next].instruction->op;
    const bool isFree = isApart.empty() || !isApart[next];
    return (first.layer != nullptr && second.isNorm && isFree) ||
           (first.isNorm && second.isActivation);
  });
}

void Network::plan() {
  trainingSteps = steps([&](int i, int next) {
    return nodes[i].instruction->op->isNorm &&
           nodes[next].instruction->op->isActivation;
  });
  evaluationSteps = evaluationStepsWith({});
  for (const Step& step : trainingSteps)
    if (step.absorbed >= 0)
      nodes[step.node].activation = nodes[step.absorbed].activation;
}

void Network::initialise(uint64_t seed) {
  const at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  size_t at = 0;
  for (const auto& instruction : program.instructions)
    for (const auto& spec : instruction.parameters) {
      // In float32 on the host, so that every device and dtype starts alike.
      at::Tensor start = at::empty(spec.shape, at::kFloat);
      const double value = spec.initial.value;
      switch (spec.initial.kind) {
        case Initial::Kind::kNormal:
          start.normal_(0, value, random);
          break;
        case Initial::Kind::kUniform:
          start.uniform_(-value, value, random);
          break;
        case Initial::Kind::kConstant:
          start.fill_(value);
          break;
      }
      places[at++].view.copy_(start);
    }
}

}  // namespace splitgrow
