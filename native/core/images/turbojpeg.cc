// Opens libturbojpeg and finds its functions.
#include "images/turbojpeg.h"

#include <dlfcn.h>

#include <atomic>
#include <mutex>

#include "tensor/error.h"

namespace splitgrow::turbo {

namespace {

std::mutex opening;
std::atomic<const Api*> opened{nullptr};

template <class F>
void find(void* library, const std::string& path, const char* name, F* place) {
  void* found = dlsym(library, name);
  require(found != nullptr, "E_IMAGES", path, " has no ", name,
          "; libjpeg-turbo 3.0 or newer is needed");
  *place = reinterpret_cast<F>(found);
}

}  // namespace

void open(const std::string& path) {
  const std::lock_guard<std::mutex> lock(opening);
  if (opened != nullptr) return;
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    throw Error("E_IMAGES", "the JPEG decoder does not load: " +
                                std::string(reason ? reason : path));
  }
  static Api api;
  find(library, path, "tj3Init", &api.init);
  find(library, path, "tj3Destroy", &api.destroy);
  find(library, path, "tj3GetErrorStr", &api.errorText);
  find(library, path, "tj3GetErrorCode", &api.errorCode);
  find(library, path, "tj3Set", &api.set);
  find(library, path, "tj3Get", &api.get);
  find(library, path, "tj3Free", &api.free);
  find(library, path, "tj3DecompressHeader", &api.header);
  find(library, path, "tj3SetScalingFactor", &api.scale);
  find(library, path, "tj3SetCroppingRegion", &api.crop);
  find(library, path, "tj3Decompress8", &api.decompress);
  find(library, path, "tj3Compress8", &api.compress);
  opened = &api;
}

const Api& api() {
  const Api* found = opened;
  require(found != nullptr, "E_IMAGES", "no JPEG decoder was opened");
  return *found;
}

Instance make(int purpose) {
  const Api& functions = api();
  Instance instance(functions.init(purpose), functions.destroy);
  require(instance != nullptr, "E_IMAGES",
          "libjpeg-turbo: ", functions.errorText(nullptr));
  return instance;
}

}  // namespace splitgrow::turbo
