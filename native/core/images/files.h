// File descriptors that close themselves, and calls that report what failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace splitgrow {

class File {
 public:
  File() = default;
  // `flags` of open(2); the descriptor is -1 where it fails, errno says why.
  File(const std::string& path, int flags, int mode = 0666);
  ~File();
  File(File&& other) noexcept : descriptor_(other.descriptor_) {
    other.descriptor_ = -1;
  }
  File& operator=(File&& other) noexcept;
  int descriptor() const { return descriptor_; }
  bool isOpen() const { return descriptor_ >= 0; }
  int64_t size() const;

 private:
  int descriptor_ = -1;
};

// Opens a file to read and write, so that an interrupted run goes on with it,
// or makes it. Throws Error{E_WRITE} for a link, for a file with a second name,
// and for anything that is no file: they are not ours.
File openToContinue(const std::string& path);

// The text of errno.
std::string lastFailure();

// They write all bytes, or throw Error{E_WRITE} naming `path`.
void writeAll(const File& file, const std::string& path, const void* data,
              size_t size);
void syncFile(const File& file, const std::string& path);
// Makes sure that a name which was created, changed or removed in its folder is
// on the disk.
void syncFolderOf(const std::string& path);
// Reads up to `size` bytes from `offset`. Returns how many there were, or -1.
int64_t readAt(const File& file, void* to, size_t size, int64_t offset);

}  // namespace splitgrow
