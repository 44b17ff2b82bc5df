// Thin Node-API addon without LibTorch: opens shared libraries in order and
// says which one failed and why. Libraries that read the environment when they
// are opened (libgomp) can be given variables for that moment. It has the watch
// over signals too.

#include <dlfcn.h>
#include <node_api.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "watch.h"

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

// Whether the process holds a library of this file name, whoever opened it:
// libraries opened later find that one.
bool isOpen(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  void* const found = dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (found != nullptr) dlclose(found);
  return found != nullptr;
}

// Environment variables that are there as long as this object is. A variable
// that has a value keeps it.
class Variables {
 public:
  Variables() = default;
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;
  ~Variables() {
    for (const std::string& name : names_) unsetenv(name.c_str());
  }
  void add(const std::string& name, const std::string& value) {
    if (getenv(name.c_str()) != nullptr) return;
    if (setenv(name.c_str(), value.c_str(), 0) == 0) names_.push_back(name);
  }

 private:
  std::vector<std::string> names_;
};

// False where it is no string.
bool readText(napi_env env, napi_value value, std::string* text) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    return false;
  }
  text->assign(length + 1, '\0');
  napi_get_value_string_utf8(env, value, text->data(), text->size(), &length);
  text->resize(length);
  return true;
}

// An object of strings; false where it is none.
bool readVariables(napi_env env, napi_value object, Variables* variables) {
  napi_value names = nullptr;
  uint32_t count = 0;
  if (napi_get_property_names(env, object, &names) != napi_ok) return false;
  napi_get_array_length(env, names, &count);
  for (uint32_t i = 0; i < count; ++i) {
    napi_value key = nullptr;
    napi_value value = nullptr;
    std::string name;
    std::string text;
    if (napi_get_element(env, names, i, &key) != napi_ok ||
        napi_get_property(env, object, key, &value) != napi_ok ||
        !readText(env, key, &name) || !readText(env, value, &text)) {
      return false;
    }
    variables->add(name, text);
  }
  return true;
}

// preload(paths: string[], variables?: { [name]: string }):
// { path, ok, error, wasOpen }[], in the order given. A library that fails does
// not stop the rest: the caller judges the trace. The variables are in the
// environment while the libraries are opened, and gone afterwards, so that
// child processes do not get them.
napi_value preload(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value given[2] = {nullptr, nullptr};
  if (napi_get_cb_info(env, info, &argc, given, nullptr, nullptr) != napi_ok) {
    return nullptr;
  }
  const napi_value paths = given[0];
  Variables variables;
  if (argc > 1 && !readVariables(env, given[1], &variables)) {
    return fail(env, "preload: expected an object of strings");
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
    std::string path;
    if (napi_get_element(env, paths, i, &item) != napi_ok ||
        !readText(env, item, &path)) {
      return fail(env, "preload: expected every path to be a string");
    }

    const bool wasOpen = isOpen(path);
    const std::string error = open(path);
    napi_value row = nullptr;
    napi_value ok = nullptr;
    napi_value before = nullptr;
    if (napi_create_object(env, &row) != napi_ok ||
        napi_get_boolean(env, error.empty(), &ok) != napi_ok ||
        napi_get_boolean(env, wasOpen, &before) != napi_ok) {
      return nullptr;
    }
    set(env, row, "wasOpen", before);
    set(env, row, "path", item);
    set(env, row, "ok", ok);
    set(env, row, "error", toText(env, error));
    napi_set_element(env, trace, i, row);
  }
  return trace;
}

// watch(words: string, busyMs: number): boolean
napi_value watch(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value given[2] = {nullptr, nullptr};
  std::string words;
  int64_t busyMs = 0;
  if (napi_get_cb_info(env, info, &argc, given, nullptr, nullptr) != napi_ok ||
      argc < 2 || !readText(env, given[0], &words) ||
      napi_get_value_int64(env, given[1], &busyMs) != napi_ok) {
    return fail(env, "watch: expected a string and a number");
  }
  napi_value isOn = nullptr;
  napi_get_boolean(env, splitgrow::beginWatch(words, busyMs), &isOn);
  return isOn;
}

napi_value beat(napi_env, napi_callback_info) {
  splitgrow::beat();
  return nullptr;
}

napi_value unwatch(napi_env, napi_callback_info) {
  splitgrow::endWatch();
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"preload", preload},
      {"watch", watch},
      {"beat", beat},
      {"unwatch", unwatch},
  };
  for (const auto& [name, call] : functions) {
    napi_value function = nullptr;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr,
                             &function) == napi_ok) {
      set(env, exports, name, function);
    }
  }
  return exports;
}
