// The process group of NCCL, by LibTorch.
#ifndef USE_C10D_NCCL
#define USE_C10D_NCCL
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "parts.h"

namespace splitgrow::gpu {

c10::intrusive_ptr<c10d::Backend> makeProcessGroup(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int world,
    std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, world,
                                                     std::move(options));
}

}  // namespace splitgrow::gpu
