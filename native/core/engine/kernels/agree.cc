// Whether two sets of loops for bfloat16 give the same sums.
#include <cstring>
#include <vector>

#include "engine/kernels/narrow.h"

namespace splitgrow::engine {

namespace {

constexpr int64_t kLanes = 16, kColumns = 3;
// Rows behind the last output, which tiles read too.
constexpr int64_t kBehind = 32;

// Aligned to a vector.
class Floats {
 public:
  explicit Floats(int64_t n) : all_(n + kLanes, 0.0f) {}
  float* data() {
    const auto at = reinterpret_cast<uintptr_t>(all_.data()) / sizeof(float);
    return all_.data() + (kLanes - at % kLanes) % kLanes;
  }

 private:
  std::vector<float> all_;
};

// Whole numbers from -4 to 4: sums of some hundred products are exact.
void fill(float* to, int64_t n, uint32_t state) {
  for (int64_t i = 0; i < n; ++i) {
    state = state * 1664525 + 1013904223;
    to[i] = static_cast<float>(state >> 16 & 7) - 4.0f +
            static_cast<float>(state >> 30 & 1);
  }
}

struct Size {
  int64_t outputs, taps;
};

std::vector<float> sumsOf(const NarrowLoops& loops, Size size) {
  const auto [outputs, taps] = size;
  const int64_t row = kColumns * kLanes, pairs = loops.pairsOf(taps);
  Floats values(taps * row), words(pairs * row), y(outputs * row);
  fill(values.data(), taps * row, 1);
  for (int64_t i = 0; i < taps; i += 2)
    loops.pairRows(values.data() + i * row,
                   i + 1 < taps ? values.data() + (i + 1) * row : nullptr,
                   kColumns, words.data() + i / 2 * row);
  std::vector<int32_t> offsets(pairs);
  for (int64_t j = 0; j < pairs; ++j)
    offsets[j] = static_cast<int32_t>(j * kColumns);
  std::vector<float> all, w(outputs * taps), biases(outputs);
  fill(w.data(), outputs * taps, 2);
  fill(biases.data(), outputs, 3);
  const auto keep = [&](const float* from, int64_t n) {
    all.insert(all.end(), from, from + n);
  };
  for (const bool isTurned : {false, true}) {
    Floats tiles(loops.packedWords(outputs, taps));
    loops.packWeights(w.data(), outputs, taps, isTurned, tiles.data());
    const Product product{words.data(), offsets.data(), pairs,  tiles.data(),
                          outputs,      {1, kColumns},  {0, 1}, y.data(),
                          kColumns,     {0, 1}};
    if (isTurned)
      loops.backward(product, {});
    else
      loops.forward(product, biases.data(), {});
    keep(y.data(), outputs * row);
  }

  constexpr int64_t kHalf = (kColumns + 1) / 2;
  const int64_t groups = (taps + kLanes - 1) / kLanes;
  Floats dz(outputs * row), d((outputs + kBehind) * kHalf * kLanes);
  Floats x(groups * kLanes * kHalf * kLanes), sums(outputs * groups * kLanes);
  fill(dz.data(), outputs * row, 4);
  for (int64_t o = 0; o < outputs; ++o)
    loops.pairPositions(dz.data() + o * row, kColumns,
                        d.data() + o * kHalf * kLanes);
  for (int64_t g = 0; g < groups; ++g)
    loops.turn(values.data() + g * kLanes * row, kColumns,
               taps - g * kLanes < kLanes ? taps - g * kLanes : kLanes,
               kColumns, x.data() + g * kLanes * kHalf * kLanes);
  for (const bool adds : {false, true})
    loops.outer({d.data(), kHalf, outputs, x.data(), kLanes * kHalf, groups,
                 kHalf * kLanes, sums.data(), groups, adds});
  keep(sums.data(), outputs * groups * kLanes);
  return all;
}

}  // namespace

bool agree(const NarrowLoops& a, const NarrowLoops& b) {
  for (const Size size : {Size{24, 24}, {37, 45}, {64, 96}, {17, 33}}) {
    const std::vector<float> one = sumsOf(a, size), other = sumsOf(b, size);
    if (one.size() != other.size() ||
        std::memcmp(one.data(), other.data(), one.size() * sizeof(float)) != 0)
      return false;
  }
  return true;
}

}  // namespace splitgrow::engine
