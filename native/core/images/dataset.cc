// Passes over images that a loader decodes ahead; normalised where they go.
#include "images/dataset.h"

#include <ATen/Parallel.h>

#include "tensor/error.h"
#include "tensor/kernels/kernels.h"

namespace splitgrow {

namespace {

using at::Tensor;

// Rec. 601 luma of [..., 3], [..., 1], rounded as Pillow's convert("L") does.
// Grey pixels stay what they are.
Tensor luma(const Tensor& pixels) {
  std::vector<int64_t> sizes = pixels.sizes().vec();
  sizes.back() = 1;
  const Tensor grey = at::empty(sizes, at::kByte);
  const auto* from = pixels.const_data_ptr<uint8_t>();
  auto* to = grey.mutable_data_ptr<uint8_t>();
  at::parallel_for(0, grey.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint8_t* p = from + 3 * i;
      to[i] = static_cast<uint8_t>(
          (19595 * p[0] + 38470 * p[1] + 7471 * p[2] + 0x8000) >> 16);
    }
  });
  return grey;
}

class ImageSweep : public Sweep {
 public:
  ImageSweep(const ImageDataset& data, const SweepOptions& options)
      : Sweep(data.size(), options), data_(data) {
    require(options.augment.crop == 0, "E_ARGUMENT",
            "`crop` pads images in memory; images from files take "
            "`resizedCrop` or `shift`");
  }
  std::optional<LoaderStats> stats() const override { return sums(); }
  bool mayLeaveOut() const override { return data_.options.skipsUnreadable; }
  LoaderStats sums() const {
    LoaderStats all = before_;
    if (loader_ == nullptr) return all;
    const LoaderStats now = loader_->stats();
    all.images += now.images;
    all.skipped += now.skipped;
    all.warned += now.warned;
    if (all.firstSkipped.empty()) all.firstSkipped = now.firstSkipped;
    if (all.firstWarned.empty()) all.firstWarned = now.firstWarned;
    all.decodeSeconds += now.decodeSeconds;
    all.waited += now.waited;
    return all;
  }

 protected:
  Batch batch(int64_t step, int64_t index) override;

 private:
  void startAt(int64_t step, int64_t index);
  Tensor normalised(const Tensor& pixels) const;
  Tensor loops(const Tensor& pixels) const;

  const ImageDataset& data_;
  std::unique_ptr<Loader> loader_;
  LoaderStats before_;             // of loaders that were replaced
  int64_t step_ = -1, index_ = 0;  // what the loader gives next
};

// The loader works through the pieces from (step, index) on.
void ImageSweep::startAt(int64_t step, int64_t index) {
  before_ = sums();
  loader_.reset();
  std::vector<LoadPlan> plans;
  for (int64_t i = step; i < steps(); ++i)
    for (int64_t j = i == step ? index : 0; j < pieces(i); ++j) {
      const Rows r = rows(i, j);
      plans.push_back({r.from, r.count});
    }
  loader_ = std::make_unique<Loader>(
      *data_.source, data_.options, std::move(plans),
      order_.const_data_ptr<int64_t>(), options_.augment, options_.seed,
      options_.tensors.device().is_cuda());
  step_ = step;
  index_ = index;
}

Batch ImageSweep::batch(int64_t step, int64_t index) {
  if (loader_ == nullptr || step != step_ || index != index_)
    startAt(step, index);
  if (++index_ == pieces(step_)) {
    ++step_;
    index_ = 0;
  }
  const Load load = loader_->next();
  const at::Device device = options_.tensors.device();
  const bool isGrey = data_.channels() == 1;
  return {normalised(isGrey ? luma(load.pixels) : load.pixels),
          load.labels.to(device, load.labels.scalar_type(),
                         /*non_blocking=*/true)};
}

// Patterns of the one channel or the three, as the loops take them.
struct Patterns {
  static constexpr int64_t kWidth = 192;
  explicit Patterns(const ImageDataset& data) {
    for (int64_t i = 0; i < kWidth; ++i) {
      const int64_t c = i % data.channels();
      scale[i] = static_cast<float>(1 / (255.0 * data.std[c]));
      shift[i] = static_cast<float>(-data.mean[c] / data.std[c]);
    }
  }
  float scale[kWidth], shift[kWidth];
};

Tensor ImageSweep::loops(const Tensor& pixels) const {
  const Patterns patterns(data_);
  const Tensor out = at::empty(pixels.sizes(), at::kFloat);
  const auto* from = pixels.const_data_ptr<uint8_t>();
  auto* to = out.mutable_data_ptr<float>();
  const int64_t total = pixels.numel(), chunk = Patterns::kWidth * 256;
  at::parallel_for(
      0, (total + chunk - 1) / chunk, 4, [&](int64_t begin, int64_t end) {
        const int64_t at = begin * chunk;
        pickKernels().normalise(from + at, std::min(end * chunk, total) - at,
                                patterns.scale, patterns.shift,
                                Patterns::kWidth, to + at);
      });
  return out.permute({0, 3, 1, 2});
}

Tensor ImageSweep::normalised(const Tensor& pixels) const {
  const at::Device device = options_.tensors.device();
  const auto dtype = c10::typeMetaToScalarType(options_.tensors.dtype());
  if (device.is_cpu() && dtype != at::kDouble) return loops(pixels).to(dtype);
  const Patterns patterns(data_);
  const auto wide = dtype == at::kDouble ? at::kDouble : at::kFloat;
  const int64_t channels = data_.channels();
  const auto row = [&](const float* values) {
    return at::tensor(at::ArrayRef<float>(values, channels), wide)
        .to(device)
        .view({1, channels, 1, 1});
  };
  const Tensor there = pixels.to(device, at::kByte, /*non_blocking=*/true)
                           .permute({0, 3, 1, 2})
                           .to(wide);
  return at::addcmul(row(patterns.shift), there, row(patterns.scale)).to(dtype);
}

}  // namespace

void ImageDataset::check() const {
  require(size() > 0, "E_DATA", "the dataset is empty");
  require((mean.size() == 3 || mean.size() == 1) && std.size() == mean.size(),
          "E_ARGUMENT",
          "mean and std must have three numbers each, or one for grey images");
  for (const double s : std)
    require(s > 0, "E_ARGUMENT", "std must be positive, found ", s);
  require(options.shortSide >= options.resolution, "E_ARGUMENT",
          "`shortSide` must be at least the resolution, ", options.resolution,
          ", found ", options.shortSide);
  for (int64_t i = 0; i < size(); ++i) {
    const int64_t label = source->label(i);
    require(label >= 0 && label < classes, "E_LABELS", "labels must be 0 to ",
            classes - 1, ", found ", label, " for ", source->name(i));
  }
}

std::unique_ptr<Sweep> ImageDataset::sweep(const SweepOptions& options) const {
  return std::make_unique<ImageSweep>(*this, options);
}

Tensor ImageDataset::image(int64_t index) const {
  require(index >= 0 && index < size(), "E_ARGUMENT", "there is no image ",
          index, " of ", size());
  const int side = options.resolution;
  const Tensor pixels = at::empty({side, side, 3}, at::kByte);
  ImageReader reader(options.limits, options.isScaled);
  Buffer buffer;
  try {
    const Bytes file = source->read(index, &buffer);
    const ImageHeader header = readWholeHeader(file, options.limits);
    reader.read(file, header,
                centreView(header.uprightWidth(), header.uprightHeight(), side,
                           options.shortSide),
                side, side, pixels.mutable_data_ptr<uint8_t>());
  } catch (const Error& error) {
    throw Error(error.code,
                source->name(index) + " cannot be decoded: " + error.what());
  }
  const Tensor seen = channels() == 1 ? luma(pixels) : pixels;
  return seen.permute({2, 0, 1}).contiguous();
}

}  // namespace splitgrow
