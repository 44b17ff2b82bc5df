// Declarations that LibTorch's ProcessGroupGloo.hpp needs; PyPI's wheel leaves
// gloo's headers out. Nothing here is called by name.
#pragma once
