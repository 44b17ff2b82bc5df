// kernels.inc for the avx512 instruction set (flags in CMakeLists.txt).
#define SPLITGROW_ISA avx512
#include "engine/kernels/kernels.inc"
