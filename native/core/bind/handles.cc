// The handle class: one JavaScript object kind for every native object,
// type-tagged, disposable, valid only in the environment that made it.
#include <algorithm>

#include "bind/boundary.h"
#include "bind/environment.h"

namespace splitgrow {

namespace {

constexpr napi_type_tag kTag = {0x5b1f3c8e7d2a4f61, 0x9c0e6a7b8d4f2e13};

// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): ObjectWrap's rule
struct Handle : Napi::ObjectWrap<Handle> {
  explicit Handle(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Handle>(info) {
    if (!environment(info.Env()).isMakingHandle) {
      auto error = Napi::TypeError::New(
          info.Env(), "handles are made by splitgrow, not by `new`");
      error.Set("code", Napi::String::New(info.Env(), "E_HANDLE"));
      // NOLINTNEXTLINE(misc-throw-by-value-catch-by-reference): after its code
      throw error;
    }
    info.This().As<Napi::Object>().TypeTag(&kTag);
  }
  ~Handle() override { drop(); }
  void dispose(const Napi::CallbackInfo&) { drop(); }
  void drop() {
    if (held != nullptr && live != nullptr) live->erase(this);
    held.reset();
    tell(0);
  }
  // Tells the collector what this small object holds outside of its heap.
  void weigh() {
    if (held != nullptr) tell(std::max(told, bytesOf({kind, held.get()})));
  }
  Napi::Value kindOf(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), kind);
  }
  Napi::Value isDisposed(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), held == nullptr);
  }
  const char* kind = "";
  std::shared_ptr<void> held;
  std::shared_ptr<LiveHandles> live;

 private:
  void tell(int64_t bytes) {
    if (bytes != told)
      Napi::MemoryManagement::AdjustExternalMemory(Env(), bytes - told);
    told = bytes;
  }
  int64_t told = 0;
};

}  // namespace

Napi::Function defineHandle(Napi::Env env) {
  std::vector<Napi::ClassPropertyDescriptor<Handle>> properties = {
      Handle::InstanceMethod<&Handle::dispose>("dispose"),
      Handle::InstanceAccessor<&Handle::kindOf>("kind"),
      Handle::InstanceAccessor<&Handle::isDisposed>("isDisposed")};
  const Napi::Value dispose =
      env.Global().Get("Symbol").As<Napi::Object>().Get("dispose");
  if (dispose.IsSymbol()) {
    properties.push_back(
        Handle::InstanceMethod<&Handle::dispose>(dispose.As<Napi::Symbol>()));
  }
  return Handle::DefineClass(env, "Handle", properties);
}

Napi::Value makeHandle(Napi::Env env, const char* kind,
                       std::shared_ptr<void> held) {
  Environment& here = environment(env);
  here.isMakingHandle = true;
  Napi::Object object;
  try {
    object = here.handleClass.New({});
  } catch (...) {
    here.isMakingHandle = false;
    throw;
  }
  here.isMakingHandle = false;
  Handle* handle = Handle::Unwrap(object);
  handle->kind = kind;
  handle->held = std::move(held);
  handle->live = here.live;
  (*here.live)[handle] = {kind, handle->held.get()};
  handle->weigh();
  return object;
}

std::shared_ptr<void> readHandle(const Napi::Value& value, const char* kind) {
  require(value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kTag),
          "E_HANDLE", "expected a ", kind, " handle, found something else");
  Handle* handle = Handle::Unwrap(value.As<Napi::Object>());
  require(std::string(handle->kind) == kind, "E_HANDLE", "expected a ", kind,
          " handle, found a ", handle->kind, " handle");
  require(handle->held != nullptr, "E_HANDLE", "the ", kind,
          " handle was disposed; make a new one");
  handle->weigh();  // training adds momentum and averages
  return handle->held;
}

}  // namespace splitgrow
