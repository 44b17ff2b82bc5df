// libjpeg-turbo's decoder with a region, a scale and limits; its encoder.
#include "images/jpeg.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tensor/error.h"

namespace splitgrow {

namespace {

// If a component is sampled less densely, pixels at an edge take part of their
// colour from beyond the edge.
constexpr int kMargin = 2;

// A JPEG without an end counts as whole if its pixels do not need its last
// bytes. This is about how far Pillow's decoder looks ahead.
constexpr size_t kLookAhead = 8;
constexpr std::array<uint8_t, 2> kEnd = {0xFF, 0xD9};
// Only the first warning is told: this one comes when all pixels are there.
constexpr std::string_view kBehind = "extraneous bytes before marker 0xd9";

// How libjpeg's warnings (JWRN_*) begin. The library's own code of an error
// says "warning" of every error that follows one.
constexpr std::string_view kWarnings[] = {
    "Corrupt JPEG data: ",
    "Inconsistent progression sequence for ",
    "Invalid SOS parameters ",
    "Unknown Adobe color transform code ",
    "Warning: ",
    "Application transferred too many scanlines"};

bool isWarning(std::string_view text) {
  return std::any_of(
      std::begin(kWarnings), std::end(kWarnings),
      [&](std::string_view start) { return text.starts_with(start); });
}

int64_t megabytesOf(const ImageLimits& limits) {
  // Coefficients of progressive images: two bytes, at most four components.
  return std::clamp<int64_t>(limits.pixels / (1 << 17) + 64, 64, 1 << 20);
}

// From ink to light. All programs write ink inverted, as light, and all readers
// expect that, with or without Adobe's marker.
void toRgbx(uint8_t* pixels, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint8_t* p = pixels + 4 * i;
    for (int c = 0; c < 3; ++c) {
      const unsigned product = p[c] * unsigned{p[3]} + 128;
      p[c] = static_cast<uint8_t>((product + (product >> 8)) >> 8);
    }
  }
}

}  // namespace

void JpegDecoder::begin() {
  instance_ = turbo::make(turbo::kToDecompress);
  const auto set = [&](int parameter, int64_t value) {
    turbo::api().set(instance_.get(), parameter,
                     static_cast<int>(std::min<int64_t>(value, 1 << 30)));
  };
  set(turbo::kMaxPixels, limits_.pixels);
  set(turbo::kScanLimit, limits_.scans);
  set(turbo::kMaxMemory, megabytesOf(limits_));
}

// The decoder goes on after a warning, and so do Pillow and PyTorch.
void JpegDecoder::require(int code) {
  if (code == 0) return;
  const std::string text = turbo::api().errorText(instance_.get());
  if (turbo::api().errorCode(instance_.get()) != turbo::kWarning ||
      !isWarning(text))
    throw Error("E_DATA", "the JPEG is damaged: " + text);
  if (warning_.empty()) warning_ = text;
}

turbo::Region JpegDecoder::place(const ImageHeader& header, const Rect& region,
                                 int shrink) const {
  const auto up = [&](int64_t n) {
    return static_cast<int>((n + shrink - 1) / shrink);
  };
  const int width = up(header.width), height = up(header.height);
  // Images without DCT, or with an unusual subsampling, cannot be decoded in
  // part.
  if (header.isLossless ||
      turbo::api().get(instance_.get(), turbo::kSubsampling) < 0)
    return {0, 0, width, height};
  const int unit = std::max(1, header.unitWidth / shrink);
  turbo::Region r;
  r.x = std::max(0, region.x / shrink - kMargin) / unit * unit;
  r.y = std::max(0, region.y / shrink - kMargin);
  r.width =
      std::min(width, up(int64_t{region.x} + region.width) + kMargin) - r.x;
  r.height =
      std::min(height, up(int64_t{region.y} + region.height) + kMargin) - r.y;
  return r;
}

Pixels JpegDecoder::decode(Bytes file, const ImageHeader& header,
                           const Rect& region, int shrink) {
  if (header.isLossless) shrink = 1;
  if (header.hasEnd) return decodeWhole(file, header, region, shrink);
  const size_t size = file.size() - std::min(file.size(), kLookAhead);
  uint8_t* ended = ended_.atLeast(size + kEnd.size());
  std::copy_n(file.begin(), size, ended);
  std::copy(kEnd.begin(), kEnd.end(), ended + size);
  Pixels pixels =
      decodeWhole({ended, size + kEnd.size()}, header, region, shrink);
  splitgrow::require(
      pixels.warning.empty() || pixels.warning.ends_with(kBehind), "E_DATA",
      "the file is cut short: the JPEG has no end");
  pixels.warning = "the JPEG has no end, but all of its pixels";
  return pixels;
}

Pixels JpegDecoder::decodeWhole(Bytes file, const ImageHeader& header,
                                const Rect& region, int shrink) {
  const auto& api = turbo::api();
  begin();
  warning_.clear();
  void* self = instance_.get();
  require(api.header(self, file.data(), file.size()));
  require(api.scale(self, {1, shrink}));
  const turbo::Region r = place(header, region, shrink);
  const bool isPart = r.x > 0 || r.y > 0 ||
                      r.width < (header.width + shrink - 1) / shrink ||
                      r.height < (header.height + shrink - 1) / shrink;
  if (isPart) require(api.crop(self, r));
  const int64_t stride = int64_t{4} * r.width;
  const size_t size = static_cast<size_t>(stride) * r.height;
  uint8_t* pixels = pixels_.atLeast(size);
  const bool isInk = header.channels == 4;
  require(api.decompress(self, file.data(), file.size(), pixels,
                         static_cast<int>(stride),
                         isInk ? turbo::kCmyk : turbo::kRgbx));
  if (isInk) toRgbx(pixels, size / 4);
  return {pixels, stride, r.width, r.height, r.x, r.y, shrink, warning_};
}

JpegEncoder::JpegEncoder(int quality)
    : instance_(turbo::make(turbo::kToCompress)) {
  turbo::api().set(instance_.get(), turbo::kQuality, quality);
}

std::vector<uint8_t> JpegEncoder::encode(const uint8_t* pixels, int width,
                                         int height, int channels) {
  const auto& api = turbo::api();
  void* self = instance_.get();
  const bool isGrey = channels == 1;
  api.set(self, turbo::kSubsampling, isGrey ? turbo::kIsGrey : turbo::kIs420);
  unsigned char* bytes = nullptr;
  size_t size = 0;
  const int code =
      api.compress(self, pixels, width, 0, height,
                   isGrey ? turbo::kGrey : turbo::kRgb, &bytes, &size);
  const std::unique_ptr<unsigned char, void (*)(void*)> owned(bytes, api.free);
  splitgrow::require(code == 0, "E_DATA",
                     "the image cannot be encoded: ", api.errorText(self));
  return {bytes, bytes + size};
}

}  // namespace splitgrow
