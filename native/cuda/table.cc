// The library's one exported function.
#include <torch/version.h>

#include "parts.h"

namespace splitgrow::gpu {

namespace {

const Accelerator* table() {
  static const Accelerator* const one = [] {
    auto* const made = new Accelerator();
    made->version = kAcceleratorVersion;
    made->libtorch = TORCH_VERSION;
    made->name = "cuda";
    made->device = at::kCUDA;
    addRows(made);
    made->threadStream = threadStream;
    made->capture = capture;
    made->smallestEigen = smallestEigen;
    made->makeProcessGroup = makeProcessGroup;
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
