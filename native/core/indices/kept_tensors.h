// The tensors of half-computed splitting indices, by name.
#pragma once

#include <string>
#include <vector>

#include "ops/net.h"
#include "tensor/error.h"

namespace splitgrow {

inline std::string named(const char* what, const std::string& id) {
  return std::string(what) + ":" + id;
}

// The tensors by name, each taken once, and of the expected kind.
class KeptTensors {
 public:
  explicit KeptTensors(const NamedTensors& tensors) : tensors_(tensors) {}
  bool has(const std::string& name) const { return find(name) != nullptr; }
  at::Tensor take(const std::string& name, const std::vector<int64_t>& shape,
                  at::ScalarType dtype) const {
    const at::Tensor* found = find(name);
    require(found != nullptr, "E_RESUME", "indices: expected \"", name,
            "\" in the checkpoint, found none: another version of splitgrow ",
            "wrote it; go on with that version, or remove the checkpoint");
    require(found->scalar_type() == dtype && found->sizes() == shape,
            "E_RESUME", "indices: expected \"", name, "\" of ",
            at::IntArrayRef(shape), ", found ", found->sizes(),
            "; go on with the threads and the memory limit of before");
    return *found;
  }
  // Of any number of rows.
  at::Tensor takeRows(const std::string& name, at::ScalarType dtype) const {
    const at::Tensor* found = find(name);
    return take(name, {found == nullptr ? 0 : found->numel()}, dtype);
  }

 private:
  const at::Tensor* find(const std::string& name) const {
    for (const auto& [key, tensor] : tensors_)
      if (key == name) return &tensor;
    return nullptr;
  }
  const NamedTensors& tensors_;
};

}  // namespace splitgrow
