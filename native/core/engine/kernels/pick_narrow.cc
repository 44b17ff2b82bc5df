// Chooses the loops of narrow.h that this processor has.
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdlib>
#include <cstring>

#include "engine/kernels/narrow.h"

namespace splitgrow::engine {

namespace avx512_bf16 {
extern const NarrowLoops* const narrowLoops;
}
namespace amx {
extern const bool isCompiled;
NarrowLoops with(NarrowLoops loops);
}  // namespace amx

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

// Whether the processor has AMX for bfloat16, and Linux lets this process use
// its registers.
bool hasAmx() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr int64_t kAskPermission = 0x1023, kTileData = 18;  // arch_prctl's
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1) != 0 &&
         (d >> 24 & 1) != 0 &&
         syscall(SYS_arch_prctl, kAskPermission, kTileData) == 0;
#else
  return false;
#endif
}

// AMX's products, once they have shown the sums of `base`; else `base`.
const NarrowLoops* best(const NarrowLoops* base) {
  if (base == nullptr || !amx::isCompiled || !hasAmx()) return base;
  static const NarrowLoops loops = amx::with(*base);
  if (agree(loops, *base)) return &loops;
  static NarrowLoops others = *base;
  others.name = "avx512_bf16, amx gives other sums";
  return &others;
}

}  // namespace

const NarrowLoops* pickNarrow() {
  static const NarrowLoops* const chosen = []() -> const NarrowLoops* {
    const char* const wanted = std::getenv("SPLITGROW_ENGINE");
    // A set that is named is taken without those above it.
    if (wanted != nullptr && std::strcmp(wanted, "avx512") == 0) return nullptr;
    if (std::strcmp(pick().name, "avx512") != 0 || !hasBf16()) return nullptr;
    if (wanted != nullptr && std::strcmp(wanted, "avx512_bf16") == 0)
      return avx512_bf16::narrowLoops;
    return best(avx512_bf16::narrowLoops);
  }();
  return chosen;
}

}  // namespace splitgrow::engine
