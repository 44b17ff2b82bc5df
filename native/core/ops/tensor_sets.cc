// Tensors of a network by name: weights, what training keeps beside them, and
// coefficients of its parameters.
#include <set>

#include "ops/net.h"
#include "tensor/error.h"

namespace splitgrow {

const Network::Place& Network::place(const std::string& name) const {
  for (const auto& row : places)
    if (row.name == name) return row;
  throw Error("E_WEIGHTS", "\"" + name + "\" is no tensor of this network");
}

void Network::write(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const Place& to = place(name);
    require(tensor.is_floating_point() && tensor.sizes() == to.view.sizes(),
            "E_WEIGHTS", name, ": expected floats of shape ", to.view.sizes(),
            ", found ", tensor.scalar_type(), " ", tensor.sizes());
    to.view.copy_(tensor);
  }
}

NamedTensors Network::weights() const {
  NamedTensors tensors;
  for (const auto& row : places) tensors.emplace_back(row.name, row.view);
  return tensors;
}

// What training keeps beside the weights.
struct Network::Set {
  const char* name;
  at::Tensor Network::* values;
  at::Tensor Network::* statistics;  // null: the set has none
};

const Network::Set& Network::setOf(const std::string& name) {
  static const Set kSets[] = {
      {"momentum", &Network::velocity, nullptr},
      {"average", &Network::averageValues, &Network::averageStatistics},
  };
  for (const Set& set : kSets)
    if (name == set.name) return set;
  throw Error("E_ARGUMENT",
              "a network has weights, momentum and average, no " + name);
}

NamedTensors Network::read(const std::string& name) const {
  if (name == "weights") return weights();
  const Set& set = setOf(name);
  NamedTensors tensors;
  if (!(this->*set.values).defined()) return tensors;
  for (const auto& row : places)
    if (row.isTrained || set.statistics != nullptr)
      tensors.emplace_back(
          row.name,
          stretch(this->*(row.isTrained ? set.values : set.statistics), row)
              .view(row.view.sizes()));
  return tensors;
}

void Network::write(const std::string& name, const NamedTensors& tensors) {
  if (name == "weights") return write(tensors);
  const Set& set = setOf(name);
  at::Tensor flat, moving;
  if (!tensors.empty()) {
    flat = at::zeros_like(values);
    moving = at::zeros_like(statistics);
  }
  for (const auto& [id, tensor] : tensors) {
    const Place& to = place(id);
    require((to.isTrained || set.statistics != nullptr) &&
                tensor.is_floating_point() && tensor.sizes() == to.view.sizes(),
            "E_WEIGHTS", name, " of ", id, ": expected floats of shape ",
            to.view.sizes());
    stretch(to.isTrained ? flat : moving, to).copy_(tensor.reshape({-1}));
  }
  this->*set.values = flat;
  if (set.statistics != nullptr) this->*set.statistics = moving;
}

Coefficients Network::coefficientsOf(const NamedTensors& tensors,
                                     const char* what, double between) const {
  if (tensors.empty()) return {};
  int64_t from = values.numel(), end = 0;
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    const Place& to = place(name);
    require(to.isTrained, "E_WEIGHTS", what, " of ", name,
            ": expected a trained parameter, found a statistic");
    require(
        tensor.scalar_type() == at::kFloat && tensor.sizes() == to.view.sizes(),
        "E_WEIGHTS", what, " of ", name, ": expected Float of shape ",
        to.view.sizes(), ", found ", tensor.scalar_type(), " ", tensor.sizes());
    require(at::isfinite(tensor).all().item<bool>(), "E_WEIGHTS", what, " of ",
            name, ": expected finite coefficients");
    require(names.insert(name).second, "E_WEIGHTS", what, " of ", name,
            ": expected once, found twice");
    from = std::min(from, to.offset);
    end = std::max(end, to.offset + to.view.numel());
  }
  Coefficients made{from, at::full({end - from}, between, options())};
  for (const auto& [name, tensor] : tensors) {
    const Place& to = place(name);
    made.values.narrow(0, to.offset - from, to.view.numel())
        .copy_(tensor.reshape({-1}));
  }
  return made;
}

}  // namespace splitgrow
