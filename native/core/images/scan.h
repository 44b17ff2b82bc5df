// Looks at every file of a dataset: headers, and what is wrong with them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "images/source.h"
#include "tensor/control.h"

namespace splitgrow {

struct ScanOptions {
  ImageLimits limits;
  int threads = 1;
  bool decodes = false;
};

struct Scanned {
  ImageHeader header;  // kUnreadable where there is a reason
  int64_t bytes = 0;
  std::string reason;
  std::string warning;  // of a file that was decoded
};

std::vector<Scanned> scanFiles(const ImageFiles& files,
                               const ScanOptions& options,
                               const Control& control);

}  // namespace splitgrow
