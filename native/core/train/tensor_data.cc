// Minibatches of images in memory: gather, flip, crop and normalise. By one
// loop on the CPU in float32, by ATen elsewhere; both give the same values.
#include "train/tensor_data.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "tensor/accelerator.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

using at::Tensor;

// (x / 255 - mean) / std for pixels; floats stay as they are.
struct Normal {
  double scale = 1, shift = 0;
};
Normal normalOf(const TensorDataset& data, int64_t channel) {
  if (data.images.scalar_type() != at::kByte) return {};
  if (data.mean.empty()) return {1 / 255.0, 0};
  return {1 / (255.0 * data.std[channel]),
          -data.mean[channel] / data.std[channel]};
}

// Row by row and channel by channel, so that no pixel is asked whether it lies
// inside of the image: it does from column `first` to `last`.
template <class T>
void copyImage(const T* from, float* to, int64_t channels, int64_t height,
               int64_t width, bool flip, int64_t top, int64_t left,
               const std::vector<Normal>& normals) {
  const int64_t moved = flip ? left : -left;
  const int64_t first = std::clamp<int64_t>(moved, 0, width);
  const int64_t last = std::clamp<int64_t>(width + moved, first, width);
  for (int64_t c = 0; c < channels; ++c) {
    const auto scale = static_cast<float>(normals[c].scale);
    const auto shift = static_cast<float>(normals[c].shift);
    const float outside = 0.0f * scale + shift;
    for (int64_t y = 0; y < height; ++y) {
      const int64_t sy = y + top;
      const bool isRow = sy >= 0 && sy < height;
      const int64_t begin = isRow ? first : width, end = isRow ? last : width;
      const T* row = isRow ? from + (c * height + sy) * width : from;
      float* pixels = to + y * width * channels + c;
      for (int64_t x = 0; x < begin; ++x) pixels[x * channels] = outside;
      if (flip)
        for (int64_t x = begin; x < end; ++x)
          pixels[x * channels] =
              static_cast<float>(row[width - 1 + left - x]) * scale + shift;
      else
        for (int64_t x = begin; x < end; ++x)
          pixels[x * channels] =
              static_cast<float>(row[x + left]) * scale + shift;
      for (int64_t x = end; x < width; ++x) pixels[x * channels] = outside;
    }
  }
}

class TensorSweep : public Sweep {
 public:
  TensorSweep(const TensorDataset& data, const SweepOptions& options);

 protected:
  Batch batch(int64_t step, int64_t index) override;

 private:
  Tensor augmented(const Tensor& picked, int64_t from, int64_t count) const;
  Tensor loops(const Tensor& index, int64_t from, int64_t count) const;
  // The accelerator, where it makes minibatches of this kind.
  const Accelerator* fastPixels() const;
  Batch pixels(const Accelerator& fast, int64_t from, int64_t count);
  const TensorDataset& data_;
  Tensor flips_, tops_, lefts_;  // int64 [N] on the host, by position
  // All of them on the device, and what normalises a channel; on first use.
  Crops crops_;
  Tensor scale_, shift_;
};

TensorSweep::TensorSweep(const TensorDataset& data, const SweepOptions& options)
    : Sweep(data.size(), options), data_(data) {
  require(!options.augment.resizedCrop && !options.augment.shift, "E_ARGUMENT",
          "images in memory take `crop`, not `resizedCrop` or `shift`");
  const int64_t n = size_;
  const Augment& augment = options.augment;
  const auto longs = at::TensorOptions().dtype(at::kLong);
  const auto draw = [&](bool wanted, int64_t most) {
    return wanted ? at::randint(0, most + 1, {n}, random_, longs)
                  : at::zeros({n}, longs);
  };
  flips_ = draw(augment.flip, 1);
  tops_ = draw(augment.crop > 0, 2 * augment.crop) - augment.crop;
  lefts_ = draw(augment.crop > 0, 2 * augment.crop) - augment.crop;
}

Tensor TensorSweep::loops(const Tensor& index, int64_t from,
                          int64_t count) const {
  const Tensor& images = data_.images;
  const int64_t c = images.size(1), h = images.size(2), w = images.size(3);
  Tensor out =
      at::empty({count, c, h, w}, at::kFloat, at::MemoryFormat::ChannelsLast);
  std::vector<Normal> normals;
  for (int64_t i = 0; i < c; ++i) normals.push_back(normalOf(data_, i));
  const int64_t* rows = index.const_data_ptr<int64_t>();
  const int64_t* flips = flips_.const_data_ptr<int64_t>() + from;
  const int64_t* tops = tops_.const_data_ptr<int64_t>() + from;
  const int64_t* lefts = lefts_.const_data_ptr<int64_t>() + from;
  float* to = out.mutable_data_ptr<float>();
  const int64_t area = c * h * w;
  at::parallel_for(0, count, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto copy = [&](const auto* pixels) {
        copyImage(pixels + rows[i] * area, to + i * area, c, h, w,
                  flips[i] != 0, tops[i], lefts[i], normals);
      };
      if (images.scalar_type() == at::kByte)
        copy(images.const_data_ptr<uint8_t>());
      else
        copy(images.const_data_ptr<float>());
    }
  });
  return out;
}

Tensor TensorSweep::augmented(const Tensor& picked, int64_t from,
                              int64_t count) const {
  const int64_t h = picked.size(2), w = picked.size(3),
                pad = options_.augment.crop;
  const auto here = [&](const Tensor& draws) {
    return draws.narrow(0, from, count).to(picked.device()).view({-1, 1});
  };
  const auto longs =
      at::TensorOptions().dtype(at::kLong).device(picked.device());
  const Tensor flip = here(flips_) != 0;
  const Tensor x = at::arange(w, longs).view({1, -1});
  const Tensor ys = at::arange(h, longs).view({1, -1}) + here(tops_) + pad;
  const Tensor xs = at::where(flip, w - 1 - x, x) + here(lefts_) + pad;
  const Tensor padded = at::constant_pad_nd(picked, {pad, pad, pad, pad}, 0);
  const Tensor b = at::arange(count, longs).view({-1, 1, 1, 1});
  const Tensor c = at::arange(picked.size(1), longs).view({1, -1, 1, 1});
  return padded.index(
      {b, c, ys.view({count, 1, h, 1}), xs.view({count, 1, 1, w})});
}

const Accelerator* TensorSweep::fastPixels() const {
  const auto type = c10::typeMetaToScalarType(options_.tensors.dtype());
  const bool isMade = data_.images.scalar_type() == at::kByte &&
                      data_.images.device() == options_.tensors.device() &&
                      (type == at::kFloat || type == at::kBFloat16);
  return isMade ? acceleratorOn(data_.images.device()) : nullptr;
}

Batch TensorSweep::pixels(const Accelerator& fast, int64_t from,
                          int64_t count) {
  const at::Device device = data_.images.device();
  if (!crops_.index.defined()) {
    crops_ = {order_.to(device), flips_.to(device), tops_.to(device),
              lefts_.to(device)};
    std::vector<double> scales, shifts;
    for (int64_t i = 0; i < data_.images.size(1); ++i) {
      scales.push_back(normalOf(data_, i).scale);
      shifts.push_back(normalOf(data_, i).shift);
    }
    scale_ = at::tensor(scales, at::kDouble).to(device, at::kFloat);
    shift_ = at::tensor(shifts, at::kDouble).to(device, at::kFloat);
  }
  const auto here = [&](const Tensor& all) {
    return all.narrow(0, from, count);
  };
  const Crops crops{here(crops_.index), here(crops_.flips), here(crops_.tops),
                    here(crops_.lefts)};
  return {fast.pixels(data_.images, crops, scale_, shift_,
                      c10::typeMetaToScalarType(options_.tensors.dtype())),
          data_.labels.index_select(0, crops.index)};
}

Batch TensorSweep::batch(int64_t step, int64_t piece) {
  const auto [from, count] = rows(step, piece);
  if (const Accelerator* const fast = fastPixels())
    return pixels(*fast, from, count);
  const Tensor index = order_.narrow(0, from, count).contiguous();
  const bool onHost = data_.images.device().is_cpu();
  const Tensor there = onHost ? index : index.to(data_.images.device());
  Batch batch;
  batch.labels = data_.labels.index_select(0, there);
  if (onHost && options_.tensors.device().is_cpu() &&
      c10::typeMetaToScalarType(options_.tensors.dtype()) == at::kFloat) {
    batch.images = loops(index, from, count);
    return batch;
  }
  Tensor images = data_.images.index_select(0, there);
  if (options_.augment.flip || options_.augment.crop > 0)
    images = augmented(images, from, count);
  images = images.to(options_.tensors);
  if (data_.images.scalar_type() == at::kByte) {
    std::vector<double> scales, shifts;
    for (int64_t i = 0; i < images.size(1); ++i) {
      scales.push_back(normalOf(data_, i).scale);
      shifts.push_back(normalOf(data_, i).shift);
    }
    const auto row = [&](const std::vector<double>& v) {
      return at::tensor(v, at::kDouble)
          .to(options_.tensors)
          .view({1, -1, 1, 1});
    };
    images = images * row(scales) + row(shifts);
  }
  batch.images = images.contiguous(at::MemoryFormat::ChannelsLast);
  return batch;
}

}  // namespace

void TensorDataset::check() const {
  require(images.dim() == 4 && images.numel() > 0 &&
              (images.scalar_type() == at::kByte ||
               images.scalar_type() == at::kFloat),
          "E_DATA", "images must be uint8 or float32 [N, C, H, W], found ",
          images.scalar_type(), " ", images.sizes());
  require(labels.dim() == 1 && labels.scalar_type() == at::kLong &&
              labels.size(0) == images.size(0),
          "E_DATA", "labels must be int64 [", images.size(0), "], found ",
          labels.scalar_type(), " ", labels.sizes());
  const auto channels = static_cast<size_t>(images.size(1));
  require(
      mean.size() == std.size() && (mean.empty() || mean.size() == channels),
      "E_DATA", "mean and std must have one number a channel");
  for (const double s : std)
    require(s > 0, "E_DATA", "std must be positive, found ", s);
  const auto [least, most] = at::aminmax(labels);
  require(least.item<int64_t>() >= 0 && most.item<int64_t>() < classes,
          "E_LABELS", "labels must be 0 to ", classes - 1, ", found ",
          least.item<int64_t>(), " to ", most.item<int64_t>());
  if (images.scalar_type() == at::kFloat)
    require(at::isfinite(images.sum(at::kDouble)).item<bool>(), "E_NOT_FINITE",
            "an image holds a value that is not finite");
}

std::unique_ptr<Sweep> TensorDataset::sweep(const SweepOptions& options) const {
  return std::make_unique<TensorSweep>(*this, options);
}

}  // namespace splitgrow
