// Writes a packed store from image files; goes on where it was interrupted.
#pragma once

#include <string>
#include <vector>

#include "images/source.h"
#include "images/store.h"
#include "tensor/control.h"

namespace splitgrow {

struct PackOptions {
  std::string store;
  StoreFacts facts;  // the parts' images are those of the files given
  ImageLimits limits;
  int threads = 1;
};

struct PackProblem {
  int64_t part = 0, index = 0;
  std::string reason;
};

struct Packed {
  int64_t images = 0, bytes = 0, resumed = 0;
  std::vector<PackProblem> problems;
};

// Throws Error: E_WRITE if the store cannot be written (the next attempt goes
// on with what is there), E_IMAGES, E_ABORTED.
Packed packImages(const std::vector<ImageFiles>& parts,
                  const PackOptions& options, const Control& control);

}  // namespace splitgrow
