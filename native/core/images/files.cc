// open, read, write and fsync of Linux.
#include "images/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "tensor/error.h"

namespace splitgrow {

File::File(const std::string& path, int flags, int mode) {
  do {
    descriptor_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor_ < 0 && errno == EINTR);
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

int64_t File::size() const {
  struct stat found{};
  return ::fstat(descriptor_, &found) == 0 && S_ISREG(found.st_mode)
             ? found.st_size
             : -1;
}

std::string lastFailure() {
  return std::error_code(errno, std::generic_category()).message();
}

namespace {

[[noreturn]] void cannotWrite(const std::string& path) {
  const std::string reason = lastFailure();
  throw Error("E_WRITE", path + " cannot be written: " + reason);
}

}  // namespace

File openToContinue(const std::string& path) {
  // O_NONBLOCK: a pipe would wait for its reader.
  File file(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK);
  if (!file.isOpen()) cannotWrite(path);
  struct stat found{};
  require(::fstat(file.descriptor(), &found) == 0 && S_ISREG(found.st_mode) &&
              found.st_nlink == 1,
          "E_WRITE", path,
          " cannot be written: expected a file that splitgrow made, found a "
          "link or no file; move it away");
  return file;
}

void writeAll(const File& file, const std::string& path, const void* data,
              size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t done = ::write(file.descriptor(), from, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) cannotWrite(path);
    from += done;
    size -= static_cast<size_t>(done);
  }
}

void syncFile(const File& file, const std::string& path) {
  if (::fsync(file.descriptor()) != 0) cannotWrite(path);
}

void syncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  const File opened(folder, O_RDONLY | O_DIRECTORY);
  if (!opened.isOpen()) cannotWrite(folder);
  syncFile(opened, folder);
}

int64_t readAt(const File& file, void* to, size_t size, int64_t offset) {
  char* place = static_cast<char*>(to);
  size_t done = 0;
  while (done < size) {
    const ssize_t some = ::pread(file.descriptor(), place + done, size - done,
                                 offset + static_cast<int64_t>(done));
    if (some < 0 && errno == EINTR) continue;
    if (some < 0) return -1;
    if (some == 0) break;
    done += static_cast<size_t>(some);
  }
  return static_cast<int64_t>(done);
}

}  // namespace splitgrow
