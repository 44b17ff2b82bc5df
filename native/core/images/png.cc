// Reads PNG (W3C, third edition): all colour types, depths and interlacing.
// Transparency is left out, and 16 bits are cut to 8, as Pillow has it.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "../error.h"
#include "formats.h"

namespace splitgrow {

namespace {

constexpr uint8_t kSignature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr size_t kChunkExtra = 12;  // length, type and checksum

uint32_t number(const uint8_t* p) {
  return uint32_t{p[0]} << 24 | uint32_t{p[1]} << 16 | uint32_t{p[2]} << 8 |
         p[3];
}

// One chunk; false where the bytes end within it.
struct Chunk {
  Bytes type, data;
  bool is(const char* name) const {
    return std::memcmp(type.data(), name, 4) == 0;
  }
};
bool nextChunk(Bytes file, size_t* at, bool checks, Chunk* chunk) {
  if (file.size() - *at < kChunkExtra) return false;
  const uint32_t size = number(file.data() + *at);
  if (file.size() - *at - kChunkExtra < size) return false;
  chunk->type = file.subspan(*at + 4, 4);
  chunk->data = file.subspan(*at + 8, size);
  if (checks)
    require(crc32(file.subspan(*at + 4, size + 4)) ==
                number(file.data() + *at + 8 + size),
            "E_DATA", "the PNG is damaged: a chunk's checksum is wrong");
  *at += kChunkExtra + size;
  return true;
}

struct Format {
  int depth = 0, colour = 0;
  bool isInterlaced = false;
  int samples() const {
    constexpr int kSamples[] = {1, 0, 3, 1, 2, 0, 4};
    return kSamples[colour];
  }
  int bits() const { return depth * samples(); }
};

Format formatOf(Bytes ihdr) {
  require(ihdr.size() == 13, "E_DATA", "the PNG's header is malformed");
  const Format f{ihdr[8], ihdr[9], ihdr[12] == 1};
  // Bit d of a colour type's row: d bits a sample are allowed.
  constexpr uint32_t kDepths[] = {0x10116, 0, 0x10100, 0x116,
                                  0x10100, 0, 0x10100};
  const bool isKnown =
      f.colour <= 6 && f.depth <= 16 && (kDepths[f.colour] >> f.depth & 1) != 0;
  require(isKnown && ihdr[10] == 0 && ihdr[11] == 0 && ihdr[12] < 2, "E_DATA",
          "the PNG has colour type ", f.colour, " with ", f.depth, " bits");
  return f;
}

// Pixels of a picture that are sent together: all, or one of Adam7's seven.
struct Pass {
  int x, y, stepX, stepY;
  int64_t width(int whole) const { return (whole - x + stepX - 1) / stepX; }
  int64_t height(int whole) const { return (whole - y + stepY - 1) / stepY; }
};
constexpr Pass kWhole[] = {{0, 0, 1, 1}};
constexpr Pass kAdam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8},
                           {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2},
                           {0, 1, 1, 2}};
std::span<const Pass> passesOf(const Format& f) {
  if (f.isInterlaced) return kAdam7;
  return kWhole;
}

int64_t rowBytes(const Format& f, int64_t width) {
  return (width * f.bits() + 7) / 8;
}

uint8_t paeth(int a, int b, int c) {
  const int p = a + b - c;
  const int pa = std::abs(p - a), pb = std::abs(p - b), pc = std::abs(p - c);
  return static_cast<uint8_t>(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

// In place; `above` is the row before, null before the first.
void unfilter(int filter, uint8_t* row, const uint8_t* above, int64_t size,
              int64_t pixel) {
  require(filter <= 4, "E_DATA", "the PNG is damaged: filter ", filter);
  for (int64_t i = 0; i < size; ++i) {
    const int a = i < pixel ? 0 : row[i - pixel];
    const int b = above == nullptr ? 0 : above[i];
    const int c = i < pixel || above == nullptr ? 0 : above[i - pixel];
    const int add = filter == 0   ? 0
                    : filter == 1 ? a
                    : filter == 2 ? b
                    : filter == 3 ? (a + b) / 2
                                  : paeth(a, b, c);
    row[i] = static_cast<uint8_t>(row[i] + add);
  }
}

struct Palette {
  uint8_t colours[256][3] = {};
};

void unpackRow(const Format& f, const Palette& palette, const uint8_t* row,
               int64_t width, uint8_t* to, int64_t step) {
  const int bytes = f.depth / 8;  // of a sample; 0 where several share one
  const int most = (1 << f.depth) - 1;
  for (int64_t x = 0; x < width; ++x, to += 4 * step) {
    int value = 0;
    if (bytes == 0) {
      const int64_t bit = x * f.depth;
      value = row[bit / 8] >> (8 - f.depth - bit % 8) & most;
    } else {
      value = row[x * f.samples() * bytes];
    }
    if (f.colour == 3) {
      std::memcpy(to, palette.colours[value], 3);
    } else if (f.samples() < 3) {
      if (bytes == 0) value = value * 255 / most;
      to[0] = to[1] = to[2] = static_cast<uint8_t>(value);
    } else {
      for (int c = 0; c < 3; ++c) to[c] = row[(x * f.samples() + c) * bytes];
    }
  }
}

}  // namespace

bool isPng(Bytes bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data(), kSignature, 8) == 0;
}

bool readPngHeader(Bytes bytes, bool isWhole, ImageHeader* header) {
  size_t at = sizeof kSignature;
  Chunk chunk;
  if (!nextChunk(bytes, &at, false, &chunk)) return false;
  require(chunk.is("IHDR"), "E_DATA", "the PNG has no header");
  const Format f = formatOf(chunk.data);
  const uint32_t width = number(chunk.data.data());
  const uint32_t height = number(chunk.data.data() + 4);
  require(width < 1u << 30 && height < 1u << 30, "E_DATA", "it has ", width,
          " x ", height, " pixels");
  header->kind = ImageKind::kPng;
  header->width = static_cast<int>(width);
  header->height = static_cast<int>(height);
  header->channels = f.colour == 3 ? 3 : f.samples();
  while (nextChunk(bytes, &at, isWhole, &chunk)) {
    if (chunk.is("eXIf")) header->orientation = orientationIn(chunk.data);
    if (chunk.is("IDAT") && !isWhole) return true;
    if (chunk.is("IEND")) return true;
  }
  require(!isWhole, "E_DATA", "the file is cut short: the PNG has no end");
  return false;
}

Pixels decodePng(Bytes file, const ImageHeader& header, Buffer* packed,
                 Buffer* pixels) {
  size_t at = sizeof kSignature;
  Chunk chunk;
  nextChunk(file, &at, false, &chunk);
  const Format f = formatOf(chunk.data);
  size_t size = 0;
  for (const Pass& pass : passesOf(f)) {
    const int64_t w = pass.width(header.width), h = pass.height(header.height);
    if (w > 0 && h > 0) size += static_cast<size_t>((rowBytes(f, w) + 1) * h);
  }
  uint8_t* raw = packed->atLeast(size);
  Inflater inflater(raw, size);
  Palette palette;
  bool hasPalette = false;
  while (nextChunk(file, &at, false, &chunk)) {
    if (chunk.is("PLTE")) {
      hasPalette = true;
      const size_t some = std::min<size_t>(chunk.data.size(), 768);
      std::memcpy(palette.colours, chunk.data.data(), some);
    } else if (chunk.is("IDAT")) {
      require(inflater.add(chunk.data), "E_DATA",
              "the PNG is damaged: its data cannot be unpacked");
    }
  }
  require(inflater.isFull(), "E_DATA",
          "the PNG is damaged: pixels are missing");
  require(hasPalette || f.colour != 3, "E_DATA", "the PNG has no palette");

  const int64_t stride = int64_t{4} * header.width;
  uint8_t* to = pixels->atLeast(static_cast<size_t>(stride) * header.height);
  const int64_t pixel = std::max(1, f.bits() / 8);
  for (const Pass& pass : passesOf(f)) {
    const int64_t w = pass.width(header.width), h = pass.height(header.height);
    if (w <= 0 || h <= 0) continue;
    const int64_t bytes = rowBytes(f, w);
    for (int64_t y = 0; y < h; ++y, raw += bytes + 1) {
      unfilter(raw[0], raw + 1, y == 0 ? nullptr : raw - bytes, bytes, pixel);
      uint8_t* place =
          to + (pass.y + y * pass.stepY) * stride + int64_t{4} * pass.x;
      unpackRow(f, palette, raw + 1, w, place, pass.stepX);
    }
  }
  return {to, stride, header.width, header.height, 0, 0, 1};
}

}  // namespace splitgrow
