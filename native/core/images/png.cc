// Decodes PNG: all colour types, depths and interlacing. Transparency is left
// out. Of 16 bits the upper 8 are taken. Pillow does so too, except for grey,
// where it makes nearly all values white.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "images/formats.h"
#include "images/png_file.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

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
std::span<const Pass> passesOf(const PngFormat& f) {
  if (f.isInterlaced) return kAdam7;
  return kWhole;
}

int64_t rowBytes(const PngFormat& f, int64_t width) {
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

// Colours that it does not have are black. A colour that is cut short does not
// count.
struct Palette {
  Palette() = default;
  explicit Palette(Bytes plte) : isThere(true) {
    std::memcpy(colours, plte.data(),
                std::min<size_t>(plte.size() / 3, 256) * 3);
  }
  bool isThere = false;
  uint8_t colours[256][3] = {};  // any index of 8 bits
};

void unpackRow(const PngFormat& f, const Palette& palette, const uint8_t* row,
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

Pixels decodePng(Bytes file, const ImageHeader& header, Buffer* packed,
                 Buffer* pixels) {
  PngFormat f;
  PngChunks chunks(file);
  PngChunk chunk;
  while (chunks.next(&chunk) && !chunk.is("IDAT"))
    if (chunk.is("IHDR")) f = pngFormatOf(chunk.data);
  size_t size = 0;
  for (const Pass& pass : passesOf(f)) {
    const int64_t w = pass.width(header.width), h = pass.height(header.height);
    if (w > 0 && h > 0) size += static_cast<size_t>((rowBytes(f, w) + 1) * h);
  }
  uint8_t* raw = packed->atLeast(size);
  Inflater inflater(raw, size);
  std::string warning = "the PNG has no end";
  chunks = PngChunks(file);
  Palette palette;
  bool hasPixels = false;
  while (chunks.next(&chunk)) {
    if (chunk.is("PLTE") && !hasPixels) {
      palette = Palette(chunk.data);
    } else if (chunk.is("IDAT")) {
      hasPixels = true;
      require(inflater.add(chunk.data), "E_DATA",
              "the PNG is damaged: its data cannot be unpacked");
      if (chunk.isWhole && !chunk.isSound)
        warning = "a checksum of the PNG is wrong";
    } else if (chunk.is("IEND")) {
      if (warning == "the PNG has no end") warning.clear();
      break;
    }
  }
  require(inflater.isFull(), "E_DATA",
          "the PNG is damaged: pixels are missing");
  require(palette.isThere || f.colour != 3, "E_DATA", "the PNG has no palette");

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
  return {to, stride, header.width, header.height, 0, 0, 1, warning};
}

}  // namespace splitgrow
