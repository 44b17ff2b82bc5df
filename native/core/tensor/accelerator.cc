// Opens the accelerator's library: splitgrow_cuda.so beside the core, once
// LibTorch's CUDA part is loaded, or the file that SPLITGROW_ACCELERATOR names.
#include "tensor/accelerator.h"

#include <ATen/core/grad_mode.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <cstdlib>

namespace splitgrow {

namespace {

using Entry = const Accelerator* (*)(int version);

struct Opened {
  const Accelerator* table = nullptr;
  std::string fault;
};

// Folder of the library this function is in.
std::string ownFolder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&ownFolder), &info) == 0) return ".";
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool isLoaded(const char* library) {
  void* const handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return false;
  dlclose(handle);
  return true;
}

Opened open() {
  const char* const named = std::getenv("SPLITGROW_ACCELERATOR");
  const bool isNamed = named != nullptr && *named != '\0';
  if (!isNamed && !isLoaded("libtorch_cuda.so"))
    return {nullptr, "LibTorch's CUDA part (libtorch_cuda.so) is not loaded"};
  const std::string path = isNamed ? named : ownFolder() + "/splitgrow_cuda.so";
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    return {nullptr, std::string(reason != nullptr ? reason : path) +
                         "; to build it run: npx splitgrow build --cuda"};
  }
  const auto entry =
      reinterpret_cast<Entry>(dlsym(library, "splitgrow_accelerator"));
  const Accelerator* table =
      entry != nullptr ? entry(kAcceleratorVersion) : nullptr;
  if (table == nullptr || table->version != kAcceleratorVersion)
    return {nullptr, path + " was built for another version of splitgrow; " +
                         "run: npx splitgrow build --cuda"};
  if (std::string(table->libtorch) != TORCH_VERSION)
    return {nullptr, path + " was built for LibTorch " + table->libtorch +
                         ", this is " + TORCH_VERSION +
                         "; run: npx splitgrow build --cuda"};
  return {table, ""};
}

// Once a process; every environment of it shares the library.
const Opened& opened() {
  static const Opened* const one = new Opened(open());
  return *one;
}

}  // namespace

const Accelerator* accelerator() { return opened().table; }
const std::string& acceleratorFault() { return opened().fault; }

const Accelerator* acceleratorOn(const at::Device& device) {
  const Accelerator* const table = accelerator();
  return table != nullptr && device.type() == table->device ? table : nullptr;
}

const Accelerator* acceleratorFor(const at::Tensor& x) {
  const Accelerator* const table = acceleratorOn(x.device());
  if (table == nullptr) return nullptr;
  if (x.requires_grad() && at::GradMode::is_enabled()) return nullptr;
  if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16)
    return nullptr;
  const bool isInLayout = x.dim() == 4
                              ? x.is_contiguous(at::MemoryFormat::ChannelsLast)
                              : x.dim() == 2 && x.is_contiguous();
  // Channel numbers are 32 bits wide in the kernels.
  return isInLayout && x.size(1) < (int64_t{1} << 30) && x.numel() > 0
             ? table
             : nullptr;
}

}  // namespace splitgrow
