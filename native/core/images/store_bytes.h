// How numbers and texts lie in a store and its journal: little-endian, 8 bytes
// a number, texts with a zero behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "images/zlib.h"

namespace splitgrow {

struct StoreTrailer {
  uint64_t index = 0, images = 0;  // offset of the index; records
  uint64_t names = 0, facts = 0;   // bytes
  uint32_t crc = 0;                // of index, names and facts
  uint32_t reserved[4] = {};
  uint32_t trailerCrc = 0;  // of what is above
  char magic[8] = {};
  uint32_t checksum() const {
    return crc32({reinterpret_cast<const uint8_t*>(this),
                  offsetof(StoreTrailer, trailerCrc)});
  }
};

inline void addNumber(std::string* to, uint64_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void addText(std::string* to, const std::string& text) {
  to->append(text.c_str(), text.size() + 1);
}

// Reads what the two above write. Once something is missing it stays unsound.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}
  uint64_t number() {
    uint64_t value = 0;
    if (bytes_.size() < sizeof value) {
      isSound_ = false;
      return 0;
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }
  std::string text() {
    const void* end =
        bytes_.empty() ? nullptr : std::memchr(bytes_.data(), 0, bytes_.size());
    if (end == nullptr) {
      isSound_ = false;
      return {};
    }
    std::string found = reinterpret_cast<const char*>(bytes_.data());
    bytes_ = bytes_.subspan(found.size() + 1);
    return found;
  }
  bool isSound() const { return isSound_; }
  bool isAtEnd() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
  bool isSound_ = true;
};

inline Bytes bytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace splitgrow
