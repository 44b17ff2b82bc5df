// zlib's inflate and crc32, looked up in the process.
#include "images/zlib.h"

#include <dlfcn.h>

#include <algorithm>
#include <limits>

#include "tensor/error.h"

namespace splitgrow {

// zlib's z_stream, whose layout has not changed since version 1.
struct Inflater::Stream {
  const uint8_t* in = nullptr;
  unsigned inSize = 0;
  unsigned long inTotal = 0;
  uint8_t* out = nullptr;
  unsigned outSize = 0;
  unsigned long outTotal = 0;
  const char* text = nullptr;
  void* state = nullptr;
  void* (*allocate)(void*, unsigned, unsigned) = nullptr;
  void (*release)(void*, void*) = nullptr;
  void* opaque = nullptr;
  int dataType = 0;
  unsigned long check = 0, reserved = 0;
  size_t left = 0;  // of the output, not yet given to `outSize`
};

namespace {

constexpr unsigned kMost = std::numeric_limits<unsigned>::max();
constexpr int kOk = 0, kEnd = 1, kNoFlush = 0, kBufferError = -5;

struct Functions {
  unsigned long (*crc32)(unsigned long, const uint8_t*, unsigned);
  int (*init)(void*, const char*, int);
  int (*inflate)(void*, int);
  int (*end)(void*);
  const char* (*version)();
};

const Functions& functions() {
  static const Functions found = [] {
    void* library = RTLD_DEFAULT;
    if (dlsym(library, "inflate") == nullptr)
      library = dlopen("libz.so.1", RTLD_NOW | RTLD_LOCAL);
    const auto find = [&](const char* name, auto* place) {
      void* symbol = library == nullptr && dlsym(RTLD_DEFAULT, name) == nullptr
                         ? nullptr
                         : dlsym(library, name);
      require(symbol != nullptr, "E_IMAGES", "zlib's ", name,
              " is neither in this Node.js nor in libz.so.1");
      *place = reinterpret_cast<std::remove_pointer_t<decltype(place)>>(symbol);
    };
    Functions f;
    find("crc32", &f.crc32);
    find("inflateInit_", &f.init);
    find("inflate", &f.inflate);
    find("inflateEnd", &f.end);
    find("zlibVersion", &f.version);
    return f;
  }();
  return found;
}

}  // namespace

uint32_t crc32(Bytes bytes, uint32_t before) {
  unsigned long sum = before;
  while (!bytes.empty()) {
    const size_t some = std::min<size_t>(bytes.size(), kMost);
    sum = functions().crc32(sum, bytes.data(), static_cast<unsigned>(some));
    bytes = bytes.subspan(some);
  }
  return static_cast<uint32_t>(sum);
}

Inflater::Inflater(uint8_t* to, size_t size) : stream_(new Stream) {
  stream_->out = to;
  stream_->left = size;
  // zlib compares this with the size of its own structure.
  constexpr int bytes = offsetof(Stream, left);
  if (functions().init(stream_, functions().version(), bytes) != kOk) {
    delete stream_;
    throw Error("E_IMAGES", "zlib cannot be used");
  }
}

// NOLINTNEXTLINE(bugprone-exception-escape): the constructor found them
Inflater::~Inflater() {
  functions().end(stream_);
  delete stream_;
}

bool Inflater::isFull() const {
  return stream_->outSize == 0 && stream_->left == 0;
}

size_t Inflater::size() const { return stream_->outTotal; }

bool Inflater::add(Bytes piece) {
  Stream& s = *stream_;
  s.in = piece.data();
  s.inSize = static_cast<unsigned>(std::min<size_t>(piece.size(), kMost));
  while (s.inSize > 0) {
    if (s.outSize == 0) {
      s.outSize = static_cast<unsigned>(std::min<size_t>(s.left, kMost));
      s.left -= s.outSize;
      if (s.outSize == 0) return true;
    }
    const int code = functions().inflate(&s, kNoFlush);
    if (code == kEnd) return true;
    if (code == kBufferError) return true;
    if (code != kOk) return false;
  }
  return true;
}

}  // namespace splitgrow
