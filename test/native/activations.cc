// A program of test/native/activations.test.ts: derivatives of activations by
// the three sources that have them (ATen's rows, the CPU's loops, what a GPU
// thread computes) against LibTorch's own backward functions. Prints where they
// differ.
#include "tensor/activations.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "shared/arithmetic.h"
#include "tensor/kernels/kernels_baseline.cc"

using at::Tensor;

namespace {

Tensor byLibTorch(const std::string& name, const Tensor& z) {
  const Tensor one = at::ones_like(z);
  if (name == "relu") return at::threshold_backward(one, at::relu(z), 0);
  if (name == "relu6") return at::hardtanh_backward(one, z, 0, 6);
  if (name == "silu") return at::silu_backward(one, z);
  if (name == "softplus") return at::softplus_backward(one, z, 1, 20);
  if (name == "tanh") return at::tanh_backward(one, at::tanh(z));
  if (name == "sigmoid") return at::sigmoid_backward(one, at::sigmoid(z));
  if (name == "gelu") return at::gelu_backward(one, z);
  return one;
}

Tensor byLoops(splitgrow::Act act, const Tensor& z) {
  const int64_t n = z.numel();
  const Tensor one = at::ones_like(z), none = at::zeros_like(z);
  const Tensor dz = at::empty_like(z), sum = none.clone(), dot = none.clone();
  splitgrow::baseline::table.wide.actGrad(
      act, z.const_data_ptr<float>(), one.const_data_ptr<float>(), n, n,
      one.const_data_ptr<float>(), none.const_data_ptr<float>(),
      none.const_data_ptr<float>(), dz.mutable_data_ptr<float>(),
      sum.mutable_data_ptr<float>(), dot.mutable_data_ptr<float>());
  return dz;
}

Tensor byGpuThread(splitgrow::Act act, const Tensor& z) {
  Tensor dz = at::empty_like(z);
  splitgrow::gpu::withAct(act, [&](auto one) {
    for (int64_t i = 0; i < z.numel(); ++i)
      dz[i] = decltype(one)::first(z[i].item<float>());
  });
  return dz;
}

int differences(const char* name, const char* source, const Tensor& z,
                const Tensor& found, const Tensor& wanted) {
  int count = 0;
  for (int64_t i = 0; i < z.numel(); ++i) {
    const float a = found[i].item<float>(), b = wanted[i].item<float>();
    if (std::abs(a - b) < 1e-5f || (std::isnan(a) && std::isnan(b))) continue;
    std::printf("%s by %s at %g: %g, LibTorch has %g\n", name, source,
                z[i].item<float>(), a, b);
    ++count;
  }
  return count;
}

}  // namespace

int main() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> finite = {-200, -7, -1,   -0.0f, 0,   1e-6f, 0.5f,
                                     5.9f, 6,  6.1f, 19,    200, NAN};
  std::vector<float> all = finite;
  all.insert(all.end(), {-kInfinity, kInfinity});
  int count = 0, values = 0;
  for (const char* name : {"identity", "relu", "relu6", "silu", "softplus",
                           "tanh", "sigmoid", "gelu"}) {
    const splitgrow::Activation& row = splitgrow::findActivation(name);
    // Smooth ones multiply infinity by 0 in ways of their own.
    const bool hasEdges = std::string(name).rfind("relu", 0) == 0;
    const Tensor z = at::tensor(hasEdges ? all : finite);
    const Tensor wanted = byLibTorch(name, z);
    count += differences(name, "ATen", z, row.first(z), wanted);
    count += differences(name, "loops", z, byLoops(row.loop, z), wanted);
    count += differences(name, "GPU", z, byGpuThread(row.loop, z), wanted);
    values += 3 * static_cast<int>(z.numel());
  }
  std::printf("%d of %d differ\n", count, values);
}
