// Thin Node-API addon without LibTorch: opens shared libraries in order and
// says which one failed and why.

#include <dlfcn.h>
#include <node_api.h>

#include <string>

namespace {

// Sets `object.name`; a failure leaves a pending JavaScript exception.
void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value toText(napi_env env, const std::string& text) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text.c_str(), text.size(), &value);
  return value;
}

napi_value fail(napi_env env, const char* message) {
  napi_throw_type_error(env, "E_ARGUMENT", message);
  return nullptr;
}

// Opens one library for good, its symbols visible to those opened later.
std::string open(const std::string& path) {
  if (path.find('\0') != std::string::npos) return "the path holds a NUL";
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return "";
  const char* reason = dlerror();
  return reason != nullptr ? reason : "unknown reason";
}

// preload(paths: string[]): { path, ok, error }[], in the order given. A
// library that fails does not stop the rest: the caller judges the trace.
napi_value preload(napi_env env, napi_callback_info info) {
  size_t argc = 1;
  napi_value paths = nullptr;
  if (napi_get_cb_info(env, info, &argc, &paths, nullptr, nullptr) != napi_ok) {
    return nullptr;
  }
  bool isArray = false;
  if (argc < 1 || napi_is_array(env, paths, &isArray) != napi_ok || !isArray) {
    return fail(env, "preload: expected an array of paths");
  }
  uint32_t count = 0;
  napi_get_array_length(env, paths, &count);
  napi_value trace = nullptr;
  if (napi_create_array_with_length(env, count, &trace) != napi_ok) {
    return nullptr;
  }
  for (uint32_t i = 0; i < count; ++i) {
    napi_value item = nullptr;
    size_t length = 0;
    if (napi_get_element(env, paths, i, &item) != napi_ok ||
        napi_get_value_string_utf8(env, item, nullptr, 0, &length) != napi_ok) {
      return fail(env, "preload: expected every path to be a string");
    }
    std::string path(length + 1, '\0');
    napi_get_value_string_utf8(env, item, path.data(), path.size(), &length);
    path.resize(length);

    const std::string error = open(path);
    napi_value row = nullptr;
    napi_value ok = nullptr;
    if (napi_create_object(env, &row) != napi_ok ||
        napi_get_boolean(env, error.empty(), &ok) != napi_ok) {
      return nullptr;
    }
    set(env, row, "path", item);
    set(env, row, "ok", ok);
    set(env, row, "error", toText(env, error));
    napi_set_element(env, trace, i, row);
  }
  return trace;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function = nullptr;
  if (napi_create_function(env, "preload", NAPI_AUTO_LENGTH, preload, nullptr,
                           &function) == napi_ok) {
    set(env, exports, "preload", function);
  }
  return exports;
}
