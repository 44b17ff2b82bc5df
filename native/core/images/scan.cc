// Headers of files, by blocks of files on many threads.
#include "images/scan.h"

#include <algorithm>
#include <cmath>

#include "images/ordered.h"
#include "images/reader.h"
#include "tensor/clock.h"

namespace splitgrow {

namespace {

// How many files a thread takes at a time, and how many bytes of each it reads
// first.
constexpr int64_t kBlock = 16;
constexpr size_t kStart = size_t{1} << 16;

void scanFile(const ImageFiles& files, int64_t index, bool decodes,
              ImageReader* reader, Buffer* buffer, Scanned* scanned) {
  size_t whole = 0;
  if (!decodes) {
    const Bytes start = files.readStart(index, kStart, buffer, &whole);
    scanned->bytes = static_cast<int64_t>(whole);
    if (start.size() < whole &&
        readHeader(start, reader->limits(), &scanned->header))
      return;
  }
  const Bytes file = files.read(index, buffer);
  scanned->bytes = static_cast<int64_t>(file.size());
  scanned->header = readWholeHeader(file, reader->limits());
  // Only the pixels show whether a file without its end is cut short.
  if (decodes || !scanned->header.hasEnd)
    scanned->warning = reader->check(file, scanned->header);
}

}  // namespace

std::vector<Scanned> scanFiles(const ImageFiles& files,
                               const ScanOptions& options,
                               const Control& control) {
  const auto start = Clock::now();
  std::vector<Scanned> all(files.size());
  const int64_t blocks = (files.size() + kBlock - 1) / kBlock;
  const auto make = [&]() -> std::function<int64_t(int64_t)> {
    auto reader = std::make_shared<ImageReader>(options.limits, false);
    auto buffer = std::make_shared<Buffer>();
    return [&, reader, buffer](int64_t block) {
      const int64_t end = std::min(files.size(), (block + 1) * kBlock);
      for (int64_t i = block * kBlock; i < end; ++i) {
        try {
          scanFile(files, i, options.decodes, reader.get(), buffer.get(),
                   &all[i]);
        } catch (const Error& error) {
          if (error.code != "E_DATA") throw;
          all[i].header = {};
          all[i].reason = error.what();
        }
      }
      return end;
    };
  };
  inOrder<int64_t>(
      0, blocks, options.threads, int64_t{4} * options.threads, make,
      [&](int64_t, int64_t done) {
        control.report({"scan", done, files.size(), done, secondsSince(start),
                        std::nan("")});
      },
      [&] { control.check(); });
  return all;
}

}  // namespace splitgrow
