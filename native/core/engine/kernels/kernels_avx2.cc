// kernels.inc for the avx2 instruction set (flags in CMakeLists.txt).
#define SPLITGROW_ISA avx2
#define SPLITGROW_ISA_NAME "avx2"
#include "engine/kernels/kernels.inc"
