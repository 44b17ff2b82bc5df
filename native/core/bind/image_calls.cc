// Calls on images: opening the decoder, scanning files, datasets in files and
// in memory, resizing.
#include "bind/calls.h"
#include "bind/image_arguments.h"
#include "bind/options.h"
#include "images/dataset.h"
#include "images/resize.h"
#include "images/scan.h"
#include "images/store.h"
#include "images/turbojpeg.h"
#include "train/tensor_data.h"

namespace splitgrow {

namespace {

constexpr int64_t kMostSide = 8192;

template <class Array, class F>
void setColumn(Napi::Env env, Napi::Object* to, const char* name,
               const std::vector<Scanned>& all, const F& of) {
  Array column = Array::New(env, all.size());
  for (size_t i = 0; i < all.size(); ++i) column[i] = of(all[i]);
  to->Set(name, column);
}

Napi::Value toHeaders(Napi::Env env, const std::vector<Scanned>& all) {
  auto result = Napi::Object::New(env);
  setColumn<Napi::Uint8Array>(env, &result, "kinds", all, [](const auto& s) {
    return static_cast<uint8_t>(s.header.kind);
  });
  setColumn<Napi::Int32Array>(env, &result, "widths", all,
                              [](const auto& s) { return s.header.width; });
  setColumn<Napi::Int32Array>(env, &result, "heights", all,
                              [](const auto& s) { return s.header.height; });
  setColumn<Napi::Float64Array>(env, &result, "bytes", all, [](const auto& s) {
    return static_cast<double>(s.bytes);
  });
  setColumn<Napi::Uint8Array>(
      env, &result, "orientations", all, [](const auto& s) {
        return static_cast<uint8_t>(s.reason.empty() ? s.header.orientation
                                                     : 0);
      });
  setColumn<Napi::Uint8Array>(env, &result, "channels", all, [](const auto& s) {
    return static_cast<uint8_t>(s.header.channels);
  });
  const auto told = [&](std::string Scanned::* text) {
    auto list = Napi::Array::New(env);
    for (size_t i = 0; i < all.size(); ++i) {
      if ((all[i].*text).empty()) continue;
      auto one = Napi::Object::New(env);
      one.Set("index", static_cast<double>(i));
      one.Set("reason", all[i].*text);
      list[list.Length()] = one;
    }
    return list;
  };
  result.Set("problems", told(&Scanned::reason));
  result.Set("warnings", told(&Scanned::warning));
  return result;
}

std::shared_ptr<ImageSource> readSource(const Napi::Object& o) {
  if (o.Has("files"))
    return std::make_shared<ImageFiles>(readFiles(o.Get("files")));
  auto stored = std::make_shared<StoredImages>();
  stored->store = std::make_shared<Store>(readPath(field(o, "store"), "store"));
  std::tie(stored->from, stored->count) =
      stored->store->part(readString(o, "part"));
  const Napi::Value chosen = o.Get("chosen");
  if (!chosen.IsUndefined()) {
    stored->chosen = readInt32(chosen, "chosen");
    for (const int32_t at : stored->chosen)
      require(at >= 0 && at < stored->count, "E_ARGUMENT",
              "`chosen` must be images 0 to ", stored->count - 1, ", found ",
              at);
    stored->isChosen = true;
  }
  const Napi::Value labels = o.Get("labels");
  if (labels.IsUndefined()) return stored;
  stored->labels = readInt32(labels, "labels");
  require(static_cast<int64_t>(stored->labels.size()) == stored->size(),
          "E_ARGUMENT", "labels must have one entry an image, ", stored->size(),
          ", found ", stored->labels.size());
  return stored;
}

}  // namespace

std::shared_ptr<ImageDataset> readImages(const Napi::Value& value) {
  const auto data =
      std::dynamic_pointer_cast<ImageDataset>(fromHandle<Dataset>(value));
  require(data != nullptr, "E_HANDLE",
          "expected a dataset of image files, found one in memory");
  return data;
}

Napi::Value openJpeg(const Napi::CallbackInfo& info) {
  turbo::open(readPath(info[0], "path"));
  return info.Env().Undefined();
}

Napi::Value scanImages(const Napi::CallbackInfo& info) {
  const auto files = std::make_shared<ImageFiles>(readFiles(info[0]));
  const Napi::Object o = readObject(info[1], "options");
  const ScanOptions options{readLimits(o), readThreads(o, "threads"),
                            readBool(o, "decode")};
  turbo::api();
  return runTask(info, info[2], info[3],
                 [files, options](const Control& control) -> ToJs {
                   auto all = std::make_shared<std::vector<Scanned>>(
                       scanFiles(*files, options, control));
                   return [all](Napi::Env env) { return toHeaders(env, *all); };
                 });
}

Napi::Value createImageDataset(const Napi::CallbackInfo& info) {
  const Napi::Object o = readObject(info[1], "options");
  turbo::api();
  auto data = std::make_shared<ImageDataset>();
  data->classes = readInteger(o, "classes", 1, kMost);
  data->mean = readNumbers(field(o, "mean"), "mean");
  data->std = readNumbers(field(o, "std"), "std");
  data->where = readDevice(field(o, "device"));
  LoaderOptions& options = data->options;
  options.limits = readLimits(o);
  options.resolution =
      static_cast<int>(readInteger(o, "resolution", 1, kMostSide));
  options.shortSide =
      static_cast<int>(readInteger(o, "shortSide", 1, kMostSide));
  options.workers = readThreads(o, "workers");
  options.prefetch = readInteger(o, "prefetch", 0, 1 << 16);
  options.isScaled = readBool(o, "scaledDecoding");
  options.skipsUnreadable = readBool(o, "skipUnreadable");
  data->source = readSource(readObject(info[0], "source"));
  data->check();
  return toHandle(info.Env(), std::shared_ptr<Dataset>(data));
}

Napi::Value createDataset(const Napi::CallbackInfo& info) {
  auto data = std::make_shared<TensorDataset>();
  data->images = readTensor(info[0], "images");
  data->labels = readTensor(info[1], "labels");
  data->mean = readNumbers(info[2], "mean");
  data->std = readNumbers(info[3], "std");
  data->classes = toInteger(info[4], "classes", 0, kMost);
  data->check();
  const at::Device device = readDevice(info[5]);
  data->images = data->images.to(device);
  data->labels = data->labels.to(device);
  return toHandle<Dataset>(info.Env(), data);
}

Napi::Value resizeImages(const Napi::CallbackInfo& info) {
  const at::Tensor images = readTensor(info[0], "images");
  require(images.dim() == 4 && images.numel() > 0 &&
              (images.scalar_type() == at::kByte ||
               images.scalar_type() == at::kFloat),
          "E_ARGUMENT",
          "`images` must be uint8 or float32 [N, C, H, W], found ",
          images.scalar_type(), " ", images.sizes());
  const int64_t side = toInteger(info[1], "size", 1, kMostSide);
  return runTask(info, info.Env().Null(), info[2],
                 [images, side](const Control& control) -> ToJs {
                   const at::Tensor out = resized(images, side, control);
                   return
                       [out](Napi::Env env) { return toTensorData(env, out); };
                 });
}

Napi::Value imageAt(const Napi::CallbackInfo& info) {
  const auto data = readImages(info[0]);
  require(info[1].IsNumber(), "E_ARGUMENT", "`index` must be a number");
  const int64_t index = info[1].As<Napi::Number>().Int64Value();
  return runTask(info, info.Env().Null(), info.Env().Null(),
                 [data, index](const Control&) -> ToJs {
                   const at::Tensor image = data->image(index);
                   return [image](Napi::Env env) {
                     return toTensorData(env, image);
                   };
                 });
}

}  // namespace splitgrow
