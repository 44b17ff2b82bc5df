// The types and vector widths that kernels, and their twins, are made for.
#pragma once

#include "sums.h"

namespace splitgrow::gpu {

template <class T, int V>
struct Form {
  using Value = T;
  static constexpr int vector = V;
};
// Calls `run` with the form for this type and for the widest vector that fits.
template <class F>
const char* withForm(Type type, const Extent& extent,
                     std::initializer_list<const void*> data, const F& run) {
  if (extent.rows <= 0 || extent.channels <= 0) return nullptr;
  if (type == Type::kFloat32) {
    const int vector = vectorOf<float>(extent, data);
    return vector == 4   ? run(Form<float, 4>())
           : vector == 2 ? run(Form<float, 2>())
                         : run(Form<float, 1>());
  }
  const int vector = vectorOf<BFloat16>(extent, data);
  return vector == 8   ? run(Form<BFloat16, 8>())
         : vector == 2 ? run(Form<BFloat16, 2>())
                       : run(Form<BFloat16, 1>());
}

}  // namespace splitgrow::gpu
