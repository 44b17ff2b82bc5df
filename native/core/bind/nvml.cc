// The few functions of NVML that are used, declared here: the driver brings no
// header (NVML API reference, NVIDIA).
#include "bind/nvml.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>

namespace splitgrow {

namespace {

using Device = void*;  // nvmlDevice_t, an opaque pointer
struct Rates {         // nvmlUtilization_t: per cent
  unsigned gpu = 0, memory = 0;
};
constexpr int kSuccess = 0;  // NVML_SUCCESS
constexpr unsigned kLongestUuid = 96, kLongestName = 96;

struct Nvml {
  int (*init)() = nullptr;
  int (*count)(unsigned*) = nullptr;
  int (*device)(unsigned, Device*) = nullptr;
  int (*uuid)(Device, char*, unsigned) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*millijoules)(Device, unsigned long long*) = nullptr;
  int (*milliwatts)(Device, unsigned*) = nullptr;
  int (*rates)(Device, Rates*) = nullptr;
};

// Null if there is no driver or it does not start. It stays open: the library
// counts its users, and the process is one of them until it ends.
const Nvml* open() {
  const char* const named = std::getenv("SPLITGROW_NVML");
  const char* const file =
      named != nullptr && *named != '\0' ? named : "libnvidia-ml.so.1";
  // NOLINTNEXTLINE(clang-analyzer-optin.taint.GenericTaint): for tests
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  static Nvml nvml;
  const auto find = [&](const char* name, auto* function) {
    *function = reinterpret_cast<std::decay_t<decltype(*function)>>(
        dlsym(library, name));
    return *function != nullptr;
  };
  const bool hasAll =
      find("nvmlInit_v2", &nvml.init) &&
      find("nvmlDeviceGetCount_v2", &nvml.count) &&
      find("nvmlDeviceGetHandleByIndex_v2", &nvml.device) &&
      find("nvmlDeviceGetUUID", &nvml.uuid) &&
      find("nvmlDeviceGetName", &nvml.name) &&
      find("nvmlDeviceGetTotalEnergyConsumption", &nvml.millijoules) &&
      find("nvmlDeviceGetPowerUsage", &nvml.milliwatts) &&
      find("nvmlDeviceGetUtilizationRates", &nvml.rates);
  return hasAll && nvml.init() == kSuccess ? &nvml : nullptr;
}

}  // namespace

std::vector<GpuCounters> readGpus() {
  static const Nvml* const nvml = open();
  unsigned count = 0;
  if (nvml == nullptr || nvml->count(&count) != kSuccess) return {};
  std::vector<GpuCounters> gpus;
  for (unsigned i = 0; i < count; ++i) {
    Device device = nullptr;
    if (nvml->device(i, &device) != kSuccess) continue;
    GpuCounters gpu;
    char uuid[kLongestUuid] = "", name[kLongestName] = "";
    if (nvml->uuid(device, uuid, kLongestUuid) == kSuccess) gpu.uuid = uuid;
    if (nvml->name(device, name, kLongestName) == kSuccess) gpu.name = name;
    unsigned long long energy = 0;
    if (nvml->millijoules(device, &energy) == kSuccess)
      gpu.joules = static_cast<double>(energy) / 1e3;
    unsigned power = 0;
    if (nvml->milliwatts(device, &power) == kSuccess)
      gpu.watts = static_cast<double>(power) / 1e3;
    Rates rates;
    if (nvml->rates(device, &rates) == kSuccess)
      gpu.utilisation = static_cast<double>(rates.gpu);
    gpus.push_back(gpu);
  }
  return gpus;
}

}  // namespace splitgrow
