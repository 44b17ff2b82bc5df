// Which of oneDNN's kernels LibTorch may take on this processor.
#pragma once

namespace splitgrow {

// Keeps oneDNN from its kernels for AVX2 where the processor has no AVX-512:
// those of LibTorch 2.11 for backward passes of strided convolutions write
// beyond their memory, and the process crashes later. It takes those for AVX.
// To be called before LibTorch computes anything. ONEDNN_MAX_CPU_ISA, where it
// is set, holds.
void avoidFlawedKernels();

}  // namespace splitgrow
