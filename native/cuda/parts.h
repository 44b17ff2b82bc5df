// What the files of the CUDA library put into the table.
#pragma once

#include "rows.h"

namespace splitgrow::gpu {

std::shared_ptr<void> threadStream(at::Device device);
std::unique_ptr<Graph> capture(at::Device device,
                               const std::function<void()>& work,
                               std::string* reason);
bool smallestEigen(const at::Tensor& matrices, at::Tensor* values,
                   at::Tensor* vectors);
c10::intrusive_ptr<c10d::Backend> makeProcessGroup(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int world,
    std::chrono::milliseconds timeout);

}  // namespace splitgrow::gpu
