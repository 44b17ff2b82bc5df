// kernels.inc for the baseline instruction set (flags in CMakeLists.txt).
#define SPLITGROW_ISA baseline
#include "engine/kernels/kernels.inc"
