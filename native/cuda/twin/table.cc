// The table of the twin: the kernels' algorithms on CPU tensors. A "graph" is
// the recorded work itself, run again.
#include <ATen/ATen.h>
#include <torch/version.h>

#include "../parts.h"

namespace splitgrow::gpu {

void* currentStream(const c10::Device&) { return nullptr; }

std::shared_ptr<void> threadStream(at::Device) { return nullptr; }

namespace {

struct Again : Graph {
  explicit Again(std::function<void()> work_) : work(std::move(work_)) {}
  void replay() override { work(); }
  std::function<void()> work;
};

}  // namespace

std::unique_ptr<Graph> capture(at::Device, const std::function<void()>& work,
                               std::string*) {
  return std::make_unique<Again>(work);
}

// All at once, overwriting the matrices, as cuSOLVER does.
bool smallestEigen(const at::Tensor& matrices, at::Tensor* values,
                   at::Tensor* vectors) {
  const auto [all, columns] = at::linalg_eigh(matrices, "L");
  matrices.copy_(columns.transpose(1, 2));
  *values = all.select(1, 0);
  *vectors = matrices.select(1, 0);
  return true;
}

namespace {

const Accelerator* table() {
  static const Accelerator* const one = [] {
    auto* const made = new Accelerator();
    made->version = kAcceleratorVersion;
    made->libtorch = TORCH_VERSION;
    made->name = "twin";
    made->device = at::kCPU;
    addRows(made);
    made->threadStream = threadStream;
    made->capture = capture;
    made->smallestEigen = smallestEigen;
    made->makeProcessGroup = nullptr;
    return made;
  }();
  return one;
}

}  // namespace

}  // namespace splitgrow::gpu

extern "C" __attribute__((visibility("default"))) const splitgrow::Accelerator*
splitgrow_accelerator(int version) {
  return version == splitgrow::kAcceleratorVersion ? splitgrow::gpu::table()
                                                   : nullptr;
}
