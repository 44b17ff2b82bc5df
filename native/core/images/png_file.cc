// Walks a PNG (W3C, third edition): its chunks, format, orientation, end.
#include "images/png_file.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "images/formats.h"
#include "images/orientation.h"
#include "images/png_text.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

constexpr uint8_t kSignature[kPngSignature] = {0x89, 'P',  'N',  'G',
                                               '\r', '\n', 0x1A, '\n'};
constexpr size_t kBefore = 8, kBehind = 4;  // length and type; checksum

void readIhdr(Bytes data, ImageHeader* header) {
  const PngFormat f = pngFormatOf(data);
  const uint32_t width = pngNumber(data.data());
  const uint32_t height = pngNumber(data.data() + 4);
  require(width < 1u << 30 && height < 1u << 30, "E_DATA", "it has ", width,
          " x ", height, " pixels");
  header->kind = ImageKind::kPng;
  header->width = static_cast<int>(width);
  header->height = static_cast<int>(height);
  header->channels = f.colour == 3 ? 3 : f.samples();
}

}  // namespace

bool PngChunk::is(const char* name) const {
  return std::memcmp(type.data(), name, 4) == 0;
}

bool PngChunk::hasName() const {
  return std::all_of(type.begin(), type.end(), [](uint8_t c) {
    return std::isalnum(c) != 0 || c == '_';
  });
}

bool PngChunks::next(PngChunk* chunk) {
  if (file_.size() - at_ < kBefore) return false;
  const uint32_t size = pngNumber(file_.data() + at_);
  chunk->type = file_.subspan(at_ + 4, 4);
  at_ += kBefore;
  const size_t left = file_.size() - at_;
  chunk->isWhole = left >= size;
  chunk->data = file_.subspan(at_, std::min<size_t>(size, left));
  at_ += chunk->data.size();
  chunk->isSound =
      file_.size() - at_ >= kBehind &&
      crc32(chunk->data, crc32(chunk->type)) == pngNumber(file_.data() + at_);
  at_ += std::min(kBehind, file_.size() - at_);
  return true;
}

int PngFormat::samples() const {
  constexpr int kSamples[] = {1, 0, 3, 1, 2, 0, 4};
  return kSamples[colour];  // pngFormatOf has checked it
}

PngFormat pngFormatOf(Bytes ihdr) {
  require(ihdr.size() >= 13, "E_DATA", "the PNG's header is malformed");
  const PngFormat f{ihdr[8], ihdr[9], ihdr[12] == 1};
  // Bit d of a colour type's row: d bits a sample are allowed.
  constexpr uint32_t kDepths[] = {0x10116, 0, 0x10100, 0x116,
                                  0x10100, 0, 0x10100};
  const bool isKnown =
      f.colour <= 6 && f.depth <= 16 && (kDepths[f.colour] >> f.depth & 1) != 0;
  require(isKnown && ihdr[11] == 0 && ihdr[12] < 2, "E_DATA",
          "the PNG has colour type ", f.colour, " with ", f.depth, " bits");
  return f;
}

bool isPng(Bytes bytes) {
  return bytes.size() >= kPngSignature &&
         std::memcmp(bytes.data(), kSignature, kPngSignature) == 0;
}

// Every chunk before the pixels must be sound. After them the file may simply
// end, as with Pillow; decoding finds out whether pixels are missing.
bool readPngHeader(Bytes bytes, bool isWhole, ImageHeader* header) {
  PngChunks chunks(bytes);
  PngChunk chunk;
  PngTexts texts;
  bool hasHeader = false, hasPixels = false;
  while (chunks.next(&chunk)) {
    if (chunk.is("IDAT")) {
      require(hasHeader, "E_DATA", "the PNG has no header");
      hasPixels = true;
      if (!isWhole) break;
      continue;
    }
    if (chunk.is("IEND") || (hasPixels && !chunk.hasName())) break;
    if (!chunk.isWhole && !isWhole) return false;
    require(chunk.isWhole, "E_DATA", "the file is cut short: the PNG has no ",
            "end");
    if (!hasPixels)
      require(chunk.isSound, "E_DATA",
              "the PNG is damaged: a chunk's checksum is wrong");
    if (chunk.is("IHDR") && !hasPixels) {
      readIhdr(chunk.data, header);
      hasHeader = true;
    }
    texts.read(chunk);
  }
  header->orientation = texts.orientation();
  if (!hasPixels && !isWhole) return false;
  require(hasPixels, "E_DATA", "the file is cut short: the PNG has no pixels");
  return true;
}

}  // namespace splitgrow
