#include "tensor/onednn.h"

#include <cstdlib>

namespace splitgrow {

void avoidFlawedKernels() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return;
  // oneDNN reads it when it first looks for a kernel.
  setenv("ONEDNN_MAX_CPU_ISA", "AVX", 0);
#endif
}

}  // namespace splitgrow
