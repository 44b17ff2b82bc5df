// Reads JavaScript values into plain C++ ones, and tensors either way.
#include <cmath>
#include <cstring>

#include "bind/boundary.h"
#include "ranks/group.h"

namespace splitgrow {

namespace {

struct DTypeRow {
  const char* name;
  at::ScalarType type;
};
constexpr DTypeRow kDTypes[] = {
    {"float32", at::kFloat}, {"float64", at::kDouble}, {"int64", at::kLong},
    {"uint8", at::kByte},    {"int32", at::kInt},      {"bool", at::kBool}};

at::ScalarType readDType(const std::string& name, const std::string& where) {
  for (const auto& row : kDTypes)
    if (name == row.name) return row.type;
  throw Error("E_ARGUMENT", where + ": unknown dtype \"" + name + "\"");
}

}  // namespace

Napi::Value field(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  require(!value.IsUndefined(), "E_ARGUMENT", "`", name, "` is missing");
  return value;
}

double toNumber(const Napi::Value& value, const char* name) {
  require(value.IsNumber(), "E_ARGUMENT", "`", name, "` must be a number");
  return value.As<Napi::Number>().DoubleValue();
}

int64_t toInteger(const Napi::Value& value, const char* name, int64_t least,
                  int64_t most) {
  const double number = toNumber(value, name);
  require(std::floor(number) == number &&
              number >= static_cast<double>(least) &&
              number <= static_cast<double>(most),
          "E_ARGUMENT", "`", name, "` must be an integer of ", least, " to ",
          most, ", found ", number);
  return static_cast<int64_t>(number);
}

std::string toText(const Napi::Value& value, const char* name) {
  require(value.IsString(), "E_ARGUMENT", "`", name, "` must be a string");
  return value.As<Napi::String>();
}

double readNumber(const Napi::Object& object, const char* name) {
  return toNumber(field(object, name), name);
}

double readFinite(const Napi::Object& object, const char* name) {
  const double value = readNumber(object, name);
  require(std::isfinite(value), "E_ARGUMENT", "`", name,
          "` must be a finite number, found ", value);
  return value;
}

int64_t readInteger(const Napi::Object& object, const char* name, int64_t least,
                    int64_t most) {
  return toInteger(field(object, name), name, least, most);
}

bool readBool(const Napi::Object& object, const char* name) {
  const Napi::Value value = field(object, name);
  require(value.IsBoolean(), "E_ARGUMENT", "`", name, "` must be a boolean");
  return value.As<Napi::Boolean>();
}

std::string readString(const Napi::Object& object, const char* name) {
  return toText(field(object, name), name);
}

Napi::Object readObject(const Napi::Value& value, const char* what) {
  require(value.IsObject(), "E_ARGUMENT", what, " must be an object");
  return value.As<Napi::Object>();
}

Napi::Array readArray(const Napi::Value& value, const char* what) {
  require(value.IsArray(), "E_ARGUMENT", what, " must be an array");
  return value.As<Napi::Array>();
}

std::vector<double> readNumbers(const Napi::Value& value, const char* what) {
  std::vector<double> numbers;
  if (value.IsTypedArray()) {
    const auto typed = value.As<Napi::TypedArray>();
    require(typed.TypedArrayType() == napi_float64_array, "E_ARGUMENT", what,
            " must be a Float64Array or an array");
    const auto array = value.As<Napi::Float64Array>();
    numbers.assign(array.Data(), array.Data() + array.ElementLength());
    return numbers;
  }
  const Napi::Array array = readArray(value, what);
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value item = array[i];
    require(item.IsNumber(), "E_ARGUMENT", what, " must hold numbers");
    numbers.push_back(item.As<Napi::Number>().DoubleValue());
  }
  return numbers;
}

std::vector<int64_t> readIntegers(const Napi::Value& value, const char* what) {
  std::vector<int64_t> integers;
  for (const double number : readNumbers(value, what)) {
    require(std::floor(number) == number && std::abs(number) < 9e15,
            "E_ARGUMENT", what, " must hold integers");
    integers.push_back(static_cast<int64_t>(number));
  }
  return integers;
}

const uint8_t* bytesOf(const Napi::TypedArray& array) {
  return static_cast<const uint8_t*>(array.ArrayBuffer().Data()) +
         array.ByteOffset();
}

at::Tensor readTensor(const Napi::Value& value, const std::string& name) {
  const Napi::Object object = readObject(value, name.c_str());
  const at::ScalarType type = readDType(readString(object, "dtype"), name);
  const std::vector<int64_t> shape =
      readIntegers(field(object, "shape"), (name + ".shape").c_str());
  int64_t count = 1;
  for (const int64_t size : shape) {
    require(size >= 0 && (size == 0 || count <= (int64_t{1} << 40) / size),
            "E_ARGUMENT", name, ": impossible shape");
    count *= size;
  }
  const Napi::Value data = field(object, "data");
  require(data.IsTypedArray(), "E_ARGUMENT", name,
          ".data must be a Uint8Array");
  const auto bytes = data.As<Napi::TypedArray>();
  const size_t wanted = static_cast<size_t>(count) * c10::elementSize(type);
  require(bytes.ByteLength() == wanted, "E_ARGUMENT", name, ": shape needs ",
          wanted, " bytes, found ", bytes.ByteLength());
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(type));
  if (wanted > 0) {
    std::memcpy(tensor.data_ptr(), bytesOf(bytes), wanted);
  }
  return tensor;
}

Napi::Value toTensorData(Napi::Env env, const at::Tensor& tensor) {
  const at::Tensor host = tensor.detach().to(at::kCPU).contiguous();
  auto object = Napi::Object::New(env);
  for (const auto& row : kDTypes)
    if (row.type == host.scalar_type()) object.Set("dtype", row.name);
  auto shape = Napi::Array::New(env, host.dim());
  for (int64_t i = 0; i < host.dim(); ++i)
    shape[static_cast<uint32_t>(i)] =
        Napi::Number::New(env, static_cast<double>(host.size(i)));
  object.Set("shape", shape);
  auto buffer = Napi::ArrayBuffer::New(env, host.nbytes());
  if (host.nbytes() > 0)
    std::memcpy(buffer.Data(), host.data_ptr(), host.nbytes());
  object.Set("data", Napi::Uint8Array::New(env, host.nbytes(), buffer, 0));
  return object;
}

NamedTensors readTensors(const Napi::Value& value, const char* what) {
  NamedTensors tensors;
  const Napi::Array entries = readArray(value, what);
  for (uint32_t i = 0; i < entries.Length(); ++i) {
    const Napi::Array entry = readArray(entries[i], what);
    const Napi::Value name = entry[0u];
    require(name.IsString(), "E_ARGUMENT", what, ": a name must be a string");
    const std::string text = name.As<Napi::String>();
    tensors.emplace_back(text, readTensor(entry[1u], text));
  }
  return tensors;
}

Napi::Value toEntries(Napi::Env env, const NamedTensors& tensors) {
  auto entries = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    auto entry = Napi::Array::New(env, 2);
    entry[0u] = Napi::String::New(env, tensors[i].first);
    entry[1u] = toTensorData(env, tensors[i].second);
    entries[i] = entry;
  }
  return entries;
}

Napi::Float64Array toFloat64Array(Napi::Env env, const std::vector<double>& v) {
  auto array = Napi::Float64Array::New(env, v.size());
  std::copy(v.begin(), v.end(), array.Data());
  return array;
}

namespace {

int deviceCount() {
  if (!at::hasCUDA()) return 0;
  return at::globalContext()
      .getAcceleratorHooksInterface(at::kCUDA)
      .deviceCount();
}

// Each rank of a machine has its own GPU. A process that sees one GPU takes
// that one.
c10::DeviceIndex deviceIndexOfRank() {
  const int count = deviceCount(), local = groupLocalRank();
  if (count == 1) return 0;
  require(local < count, "E_DEVICE", "rank ", local, " of this machine",
          ": expected at most one process a GPU, found ", count,
          " GPUs; start fewer processes on this machine");
  return static_cast<c10::DeviceIndex>(local);
}

}  // namespace

Napi::Value toLoaderStats(Napi::Env env, const LoaderStats& stats) {
  auto object = Napi::Object::New(env);
  object.Set("decoded", static_cast<double>(stats.images));
  object.Set("skipped", static_cast<double>(stats.skipped));
  object.Set("warned", static_cast<double>(stats.warned));
  if (stats.skipped > 0) object.Set("firstSkipped", stats.firstSkipped);
  if (stats.warned > 0) object.Set("firstWarned", stats.firstWarned);
  object.Set("decodeSeconds", stats.decodeSeconds);
  object.Set("waited", stats.waited);
  return object;
}

at::Device readDevice(const Napi::Value& value) {
  const std::string name = toText(value, "device");
  if (name == "cpu") return at::kCPU;
  require(name == "cuda", "E_ARGUMENT", "`device` must be cpu or cuda, found ",
          name);
  require(deviceCount() > 0, "E_DEVICE",
          "no CUDA device was found; use --device cpu, or see ",
          "`splitgrow doctor`");
  return at::Device(at::kCUDA, deviceIndexOfRank());
}

}  // namespace splitgrow
