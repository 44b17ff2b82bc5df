// The loops of narrow.h for AVX512-BF16 (flags in CMakeLists.txt). A compiler
// that does not know it makes none.
#include "engine/kernels/narrow.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include <cstring>
#include <type_traits>
#include <utility>

namespace splitgrow::engine {
namespace avx512_bf16 {
namespace {

#include "engine/kernels/narrow.inc"

const NarrowLoops loops = {"avx512_bf16", 1,    1,           pairRows,
                           pairPositions, turn, packWeights, forward,
                           backward,      outer};

}  // namespace

extern const NarrowLoops* const narrowLoops = &loops;

}  // namespace avx512_bf16
}  // namespace splitgrow::engine
#else
namespace splitgrow::engine::avx512_bf16 {
extern const NarrowLoops* const narrowLoops = nullptr;
}  // namespace splitgrow::engine::avx512_bf16
#endif
