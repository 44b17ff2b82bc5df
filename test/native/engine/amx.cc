// The engine's products for AMX with its six instructions in C++, against the
// loops for AVX512-BF16: no machine with AMX is needed. What the instructions
// do: Intel's Software Developer's Manual, volume 2, LDTILECFG, TILELOADD,
// TILESTORED, TILERELEASE and TDPBF16PS.
#include <immintrin.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>

#include "engine/kernels/narrow.h"

namespace {

constexpr int kTiles = 8, kMostRows = 16, kMostBytes = 64;
struct Tile {
  int rows = 0, bytes = 0;
  uint8_t data[kMostRows][kMostBytes] = {};
};
Tile tiles[kTiles];
bool isConfigured = false;
// Times that each instruction ran.
int loads = 0, stores = 0, products = 0, configurations = 0, releases = 0;

void require(bool is, const char* what) {
  if (is) return;
  std::printf("a fault: %s\n", what);
  std::exit(1);
}

void loadConfig(const void* from) {
  const auto* bytes = static_cast<const uint8_t*>(from);
  require(bytes[0] == 1 && bytes[1] == 0, "palette 1, row 0");
  for (int i = 2; i < 16; ++i) require(bytes[i] == 0, "reserved bytes are 0");
  for (int i = 0; i < 16; ++i) {
    uint16_t width = 0;
    std::memcpy(&width, bytes + 16 + 2 * i, sizeof width);
    const int rows = bytes[48 + i];
    if (i >= kTiles) {
      require(width == 0 && rows == 0, "tiles that there are not");
      continue;
    }
    require(width <= kMostBytes && rows <= kMostRows, "sizes");
    tiles[i] = {rows, width, {}};
  }
  isConfigured = true;
  ++configurations;
}

void load(int tile, const void* from, int64_t stride) {
  require(isConfigured, "a load before the configuration");
  for (int r = 0; r < tiles[tile].rows; ++r)
    std::memcpy(tiles[tile].data[r],
                static_cast<const char*>(from) + r * stride, tiles[tile].bytes);
  ++loads;
}

void store(int tile, void* to, int64_t stride) {
  require(isConfigured, "a store before the configuration");
  for (int r = 0; r < tiles[tile].rows; ++r)
    std::memcpy(static_cast<char*>(to) + r * stride, tiles[tile].data[r],
                tiles[tile].bytes);
  ++stores;
}

float numberOf(const uint8_t* bytes) {
  const uint32_t bits = static_cast<uint32_t>(bytes[0]) << 16 |
                        static_cast<uint32_t>(bytes[1]) << 24;
  float x = 0;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// c += a b: rows of a, words of its row by rows of b.
void multiply(int c, int a, int b) {
  require(isConfigured, "a product before the configuration");
  require(tiles[c].rows == tiles[a].rows && tiles[c].bytes == tiles[b].bytes &&
              tiles[a].bytes / 4 == tiles[b].rows,
          "sizes of a product");
  require(c != a && c != b && a != b, "three tiles");
  for (int m = 0; m < tiles[c].rows; ++m)
    for (int n = 0; n < tiles[c].bytes / 4; ++n) {
      float even = 0, odd = 0, sum = 0;
      for (int k = 0; k < tiles[a].bytes / 4; ++k) {
        even += numberOf(tiles[a].data[m] + 4 * k) *
                numberOf(tiles[b].data[k] + 4 * n);
        odd += numberOf(tiles[a].data[m] + 4 * k + 2) *
               numberOf(tiles[b].data[k] + 4 * n + 2);
      }
      std::memcpy(&sum, tiles[c].data[m] + 4 * n, sizeof sum);
      sum += even + odd;
      std::memcpy(tiles[c].data[m] + 4 * n, &sum, sizeof sum);
    }
  ++products;
}

void release() {
  isConfigured = false;
  ++releases;
}

}  // namespace

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig loadConfig
#define _tile_release release
#define _tile_loadd load
#define _tile_stored store
#define _tile_dpbf16ps multiply

namespace splitgrow::engine {
namespace twin {
namespace {
#include "engine/kernels/amx.inc"
}  // namespace
}  // namespace twin
namespace avx512_bf16 {
extern const NarrowLoops* const narrowLoops;
}
}  // namespace splitgrow::engine

int main() {
  using namespace splitgrow::engine;
  const NarrowLoops& base = *avx512_bf16::narrowLoops;
  NarrowLoops loops = base;
  loops.pairs = loops.outputs = twin::kRows;
  loops.packWeights = twin::packWeights;
  loops.forward = twin::forward;
  loops.backward = twin::backward;
  loops.outer = twin::outer;
  std::printf("%s\n", agree(loops, base) ? "the same sums" : "other sums");
  require(products > 0 && configurations == releases && !isConfigured,
          "a configuration that was not released");
  // The comparison sees what is wrong.
  for (const bool isOuter : {false, true}) {
    NarrowLoops wrong = loops;
    if (isOuter)
      wrong.outer = [](const NarrowOuter& q) {
        twin::outer(q);
        q.w[q.row * 16 + 3] += 1;
      };
    else
      wrong.backward = [](const Product& q, const Back& b) {
        twin::backward(q, b);
        q.y[5] += 1;
      };
    std::printf("%s\n", agree(wrong, base) ? "the same sums" : "other sums");
  }
}
