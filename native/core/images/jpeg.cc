// libjpeg-turbo's decoder with a region, a scale and limits; its encoder.
#include "jpeg.h"

#include <algorithm>
#include <string_view>

#include "../error.h"

namespace splitgrow {

namespace {

// Warnings that leave every pixel as it was meant: bytes that belong to
// nothing, and headers that contradict each other harmlessly.
constexpr std::string_view kHarmless[] = {"extraneous bytes before marker",
                                          "Unknown Adobe color transform code",
                                          "Unrecognized JFIF", "ICC"};

bool isHarmless(std::string_view text) {
  return std::any_of(
      std::begin(kHarmless), std::end(kHarmless),
      [&](std::string_view part) { return text.find(part) != text.npos; });
}

// Of a component that is sampled less densely, pixels at an edge take part of
// their colour from beyond it.
constexpr int kMargin = 2;

// Pixels of a coded unit at `under` times smaller scale, by TJSAMP.
constexpr int kUnitWidth[] = {8, 16, 16, 8, 8, 32, 8};

int64_t megabytesOf(const ImageLimits& limits) {
  // Coefficients of progressive images: two bytes, at most four components.
  return std::clamp<int64_t>(limits.pixels / (1 << 17) + 64, 64, 1 << 20);
}

// Ink to light. Adobe's programs store ink inverted: that is light already.
void toRgbx(uint8_t* pixels, size_t count, bool isInverted) {
  const uint8_t flip = isInverted ? 0 : 255;
  for (size_t i = 0; i < count; ++i) {
    uint8_t* p = pixels + 4 * i;
    const unsigned black = p[3] ^ flip;
    for (int c = 0; c < 3; ++c) {
      const unsigned product = (p[c] ^ flip) * black + 128;
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

void JpegDecoder::require(int code) const {
  if (code == 0) return;
  const std::string text = turbo::api().errorText(instance_.get());
  const bool isWarning =
      turbo::api().errorCode(instance_.get()) == turbo::kWarning;
  if (isWarning && isHarmless(text)) return;
  throw Error("E_DATA", "the JPEG is damaged: " + text);
}

turbo::Region JpegDecoder::place(const ImageHeader& header, const Rect& region,
                                 int shrink) const {
  const auto& api = turbo::api();
  const int sampling = api.get(instance_.get(), turbo::kSubsampling);
  const auto up = [&](int64_t n) {
    return static_cast<int>((n + shrink - 1) / shrink);
  };
  const int width = up(header.width), height = up(header.height);
  // Such images cannot be decoded in part.
  if (sampling < 0) return {0, 0, width, height};
  const int unit = std::max(1, kUnitWidth[sampling] / shrink);
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
  const auto& api = turbo::api();
  begin();
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
  if (isInk) toRgbx(pixels, size / 4, header.isInverted);
  return {pixels, stride, r.width, r.height, r.x, r.y, shrink};
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
