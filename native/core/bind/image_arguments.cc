// Reads limits, paths and lists of files.
#include "bind/image_arguments.h"

namespace splitgrow {

ImageLimits readLimits(const Napi::Object& o) {
  constexpr int64_t kMost = int64_t{1} << 40;
  return {readInteger(o, "maxPixels", 1, kMost),
          readInteger(o, "maxScans", 1, kMost)};
}

int readThreads(const Napi::Object& o, const char* name) {
  return static_cast<int>(readInteger(o, name, 1, kMostThreads));
}

std::string readPath(const Napi::Value& value, const char* what) {
  require(value.IsString(), "E_ARGUMENT", what, " must be a string");
  std::string path = value.As<Napi::String>();
  require(!path.empty() && path.find('\0') == std::string::npos, "E_ARGUMENT",
          what, " must be a path without NUL");
  return path;
}

std::vector<std::string> readStrings(const Napi::Value& value,
                                     const char* what) {
  const Napi::Array array = readArray(value, what);
  const uint32_t count = array.Length();
  std::vector<std::string> strings;
  strings.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const Napi::HandleScope scope(array.Env());
    strings.push_back(readPath(array[i], what));
  }
  return strings;
}

std::vector<int32_t> readInt32(const Napi::Value& value, const char* what) {
  require(value.IsTypedArray() &&
              value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array,
          "E_ARGUMENT", what, " must be an Int32Array");
  const auto array = value.As<Napi::Int32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

ImageFiles readFiles(const Napi::Value& value) {
  const Napi::Object o = readObject(value, "files");
  ImageFiles files;
  files.root = readPath(field(o, "root"), "root");
  files.paths = readStrings(field(o, "paths"), "paths");
  files.labels = readInt32(field(o, "labels"), "labels");
  require(files.labels.size() == files.paths.size(), "E_ARGUMENT",
          "labels must have one entry a path, ", files.paths.size(), ", found ",
          files.labels.size());
  return files;
}

}  // namespace splitgrow
