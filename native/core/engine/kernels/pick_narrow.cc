// Chooses the loops of narrow.h that this processor has.
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <cstring>

#include "engine/kernels/narrow.h"

namespace splitgrow::engine {

namespace avx512_bf16 {
extern const NarrowLoops* const narrowLoops;
}

namespace {

// Not by __builtin_cpu_supports, which refuses names that a compiler is too old
// for.
bool hasBf16() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
#else
  return false;
#endif
}

}  // namespace

const NarrowLoops* pickNarrow() {
  static const NarrowLoops* const chosen = []() -> const NarrowLoops* {
    const char* const wanted = std::getenv("SPLITGROW_ENGINE");
    // A set that is named is taken without those above it.
    if (wanted != nullptr && std::strcmp(wanted, "avx512") == 0) return nullptr;
    if (std::strcmp(pick().name, "avx512") != 0 || !hasBf16()) return nullptr;
    return avx512_bf16::narrowLoops;
  }();
  return chosen;
}

}  // namespace splitgrow::engine
