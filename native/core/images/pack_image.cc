// Decodes, turns upright, makes smaller and encodes one file.
#include "images/pack_image.h"

#include <algorithm>

#include "tensor/error.h"

namespace splitgrow {

ImagePacker::ImagePacker(const ImageLimits& limits, int shortSide, int quality)
    : reader_(limits, true), shortSide_(shortSide), quality_(quality) {}

std::vector<uint8_t> ImagePacker::packed(Bytes file, const ImageHeader& header,
                                         PackedImage* image) {
  const int width = header.uprightWidth(), height = header.uprightHeight();
  const bool isGrey = header.channels < 3;
  const bool isSmall = std::min(width, height) <= shortSide_;
  const bool isPlain = header.kind == ImageKind::kJpeg &&
                       header.orientation == 1 && header.channels < 4;
  if (shortSide_ == 0 || (isSmall && isPlain)) {
    reader_.check(file, header);
    image->width = header.width;
    image->height = header.height;
    return {file.begin(), file.end()};
  }
  const Rect size =
      resizedTo(width, height, std::min({width, height, shortSide_}));
  const View view{
      {0, 0, static_cast<double>(width), static_cast<double>(height)},
      {0, 0, width, height}};
  const size_t count = static_cast<size_t>(size.width) * size.height;
  uint8_t* pixels = pixels_.atLeast(3 * count);
  reader_.read(file, header, view, size.width, size.height, pixels);
  if (isGrey)
    for (size_t i = 0; i < count; ++i) pixels[i] = pixels[3 * i];
  if (encoder_ == nullptr) encoder_ = std::make_unique<JpegEncoder>(quality_);
  image->width = size.width;
  image->height = size.height;
  return encoder_->encode(pixels, size.width, size.height, isGrey ? 1 : 3);
}

PackedBytes ImagePacker::pack(const ImageFiles& files, int64_t index) {
  PackedBytes result;
  try {
    const Bytes file = files.read(index, &buffer_);
    const ImageHeader header = readWholeHeader(file, reader_.limits());
    result.bytes = packed(file, header, &result.image);
    result.image.bytes = static_cast<uint32_t>(result.bytes.size());
    result.image.crc = crc32(result.bytes);
  } catch (const Error& error) {
    if (error.code != "E_DATA") throw;
    result = {};
    result.image.reason = error.what();
  }
  return result;
}

}  // namespace splitgrow
