// Images as files of a folder.
#include "images/source.h"

#include <fcntl.h>

#include <algorithm>

#include "images/files.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

// More than any camera writes; keeps a wrong path from filling the memory.
constexpr int64_t kMostBytes = int64_t{1} << 30;

}  // namespace

Bytes ImageFiles::readStart(int64_t index, size_t most, Buffer* buffer,
                            size_t* whole) const {
  const std::string path = root + "/" + paths[index];
  // Not to wait for a pipe that nobody writes to.
  const File file(path, O_RDONLY | O_NONBLOCK);
  require(file.isOpen(), "E_DATA", "it cannot be opened: ", lastFailure());
  const int64_t size = file.size();
  require(size >= 0, "E_DATA", "it is no regular file");
  require(size <= kMostBytes, "E_DATA", "it has ", size, " bytes, more than ",
          kMostBytes);
  *whole = static_cast<size_t>(size);
  const size_t some = std::min(most, *whole);
  uint8_t* to = buffer->atLeast(some);
  const int64_t found = readAt(file, to, some, 0);
  require(found >= 0, "E_DATA", "it cannot be read: ", lastFailure());
  return {to, static_cast<size_t>(found)};
}

Bytes ImageFiles::read(int64_t index, Buffer* buffer) const {
  size_t whole = 0;
  return readStart(index, kMostBytes, buffer, &whole);
}

}  // namespace splitgrow
