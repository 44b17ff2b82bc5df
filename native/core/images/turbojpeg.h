// The part of libjpeg-turbo's TurboJPEG 3 API that is used. The library is
// opened at run time, so that everything else works without it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace splitgrow::turbo {

// Values of the API's enumerations and structures.
constexpr int kToCompress = 0, kToDecompress = 1;
constexpr int kQuality = 3, kSubsampling = 4, kColours = 8, kScanLimit = 13,
              kMaxMemory = 23, kMaxPixels = 24;
constexpr int kRgb = 0, kRgbx = 2, kGrey = 6, kCmyk = 11;
constexpr int kIs444 = 0, kIs420 = 2, kIsGrey = 3;
constexpr int kWarning = 0;
struct Region {
  int x = 0, y = 0, width = 0, height = 0;  // all 0: the whole image
};
struct Factor {
  int over = 1, under = 1;
};

// The functions, by their names less `tj3`.
struct Api {
  void* (*init)(int);
  void (*destroy)(void*);
  char* (*errorText)(void*);
  int (*errorCode)(void*);
  int (*set)(void*, int, int);
  int (*get)(void*, int);
  void (*free)(void*);
  int (*header)(void*, const unsigned char*, size_t);
  int (*scale)(void*, Factor);
  int (*crop)(void*, Region);
  int (*decompress)(void*, const unsigned char*, size_t, unsigned char*, int,
                    int);
  int (*compress)(void*, const unsigned char*, int, int, int, int,
                  unsigned char**, size_t*);
};

// Opens the library, once a process. Throws Error{E_IMAGES} with the reason.
void open(const std::string& path);
// Throws Error{E_IMAGES} where none was opened.
const Api& api();

using Instance = std::unique_ptr<void, void (*)(void*)>;
// One of the library's objects, for one thread at a time.
Instance make(int purpose);

}  // namespace splitgrow::turbo
