// NVIDIA's management library, opened at run time: energy and load of GPUs. It
// comes with the driver and needs neither CUDA nor LibTorch.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace splitgrow {

// What one GPU says; nothing where it does not know.
struct GpuCounters {
  std::string uuid;
  std::string name;
  std::optional<double> joules;       // since the driver was loaded
  std::optional<double> watts;        // now
  std::optional<double> utilisation;  // per cent of the last sampling period
};

// Every GPU of the machine, whatever CUDA_VISIBLE_DEVICES shows; empty where
// there is no driver. `SPLITGROW_NVML` names another library file.
std::vector<GpuCounters> readGpus();

}  // namespace splitgrow
