// The functions of zlib that are used. Node.js contains zlib or is linked to
// the system's; in both cases its functions are found in the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace splitgrow {

using Bytes = std::span<const uint8_t>;

// CRC-32 as zip, PNG and gzip have it, going on from `before`.
// Throws Error{E_IMAGES} where the process has no zlib.
uint32_t crc32(Bytes bytes, uint32_t before = 0);

// Unpacks a zlib stream that comes in pieces, into a buffer of known size.
class Inflater {
 public:
  Inflater(uint8_t* to, size_t size);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  // False if the stream is damaged. Bytes after its end, and bytes that do not
  // fit, are left out.
  bool add(Bytes piece);
  bool isFull() const;
  // Bytes that were unpacked so far.
  size_t size() const;

 private:
  struct Stream;
  Stream* stream_;
};

}  // namespace splitgrow
