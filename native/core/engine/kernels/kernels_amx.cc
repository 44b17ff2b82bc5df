// The products of narrow.h for AMX (flags in CMakeLists.txt). A compiler that
// does not know it makes none. No machine with AMX has ever run them: the same
// loops are tested with the instructions in C++ (test/native/engine/amx.cc).
#include "engine/kernels/narrow.h"

#if defined(__AMX_BF16__) && defined(__AVX512BF16__)
#include <immintrin.h>

#include <cstring>
#include <type_traits>
#include <utility>

namespace splitgrow::engine {
namespace amx {
namespace {

#include "engine/kernels/amx.inc"

}  // namespace

extern const bool isCompiled = true;

// `loops` with these products.
NarrowLoops with(NarrowLoops loops) {
  loops.name = "amx";
  loops.pairs = loops.outputs = kRows;
  loops.packWeights = packWeights;
  loops.forward = forward;
  loops.backward = backward;
  loops.outer = outer;
  return loops;
}

}  // namespace amx
}  // namespace splitgrow::engine
#else
namespace splitgrow::engine::amx {
extern const bool isCompiled = false;
NarrowLoops with(NarrowLoops loops) { return loops; }
}  // namespace splitgrow::engine::amx
#endif
