// kernels.inc for the avx2 instruction set (flags in CMakeLists.txt).
#define SPLITGROW_ISA avx2
#include "engine/kernels/kernels.inc"
