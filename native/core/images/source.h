// Where an image dataset's bytes come from: files, or a packed store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "images/image.h"

namespace splitgrow {

// Safe to be read from by many threads.
struct ImageSource {
  virtual ~ImageSource() = default;
  virtual int64_t size() const = 0;
  virtual int64_t label(int64_t index) const = 0;
  virtual std::string name(int64_t index) const = 0;
  // An image's file. The bytes are valid while `buffer` is left alone.
  // Throws Error{E_DATA} without the name.
  virtual Bytes read(int64_t index, Buffer* buffer) const = 0;
};

struct ImageFiles : ImageSource {
  std::string root;
  std::vector<std::string> paths;  // relative to it
  std::vector<int32_t> labels;

  int64_t size() const override { return static_cast<int64_t>(paths.size()); }
  int64_t label(int64_t index) const override { return labels[index]; }
  std::string name(int64_t index) const override { return paths[index]; }
  Bytes read(int64_t index, Buffer* buffer) const override;
  // Reads at most `most` bytes from the start; `whole` becomes the size of the
  // file.
  Bytes readStart(int64_t index, size_t most, Buffer* buffer,
                  size_t* whole) const;
};

}  // namespace splitgrow
