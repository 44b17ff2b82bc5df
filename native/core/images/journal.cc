// The journal is made of blocks of entries with size and checksum in front. A
// block that a kill cut short does not count.
#include "images/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "images/store_bytes.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

constexpr char kMagic[9] = "SGJOURN1";
constexpr size_t kHeader = 16, kBlockHeader = 16;

std::string headerOf(uint64_t key) {
  std::string header(kMagic, 8);
  addNumber(&header, key);
  return header;
}

std::string blockOf(const std::vector<PackedImage>& images) {
  std::string entries;
  for (const PackedImage& image : images) {
    addNumber(&entries, uint64_t{image.crc} << 32 | image.bytes);
    addNumber(&entries, static_cast<uint64_t>(image.height) << 32 |
                            static_cast<uint32_t>(image.width));
    addText(&entries, image.reason);
  }
  std::string block;
  addNumber(&block, entries.size());
  addNumber(&block, crc32(bytesOf(entries)));
  return block + entries;
}

void readBlock(Bytes entries, std::vector<PackedImage>* images) {
  ByteReader reader(entries);
  while (!reader.isAtEnd()) {
    const uint64_t data = reader.number(), size = reader.number();
    std::string reason = reader.text();
    if (!reader.isSound()) return;
    images->push_back({static_cast<uint32_t>(data),
                       static_cast<uint32_t>(data >> 32),
                       static_cast<int32_t>(size & 0xFFFFFFFFu),
                       static_cast<int32_t>(size >> 32), std::move(reason)});
  }
}

void cut(const File& file, const std::string& path, int64_t size) {
  require(::ftruncate(file.descriptor(), size) == 0 &&
              ::lseek(file.descriptor(), size, SEEK_SET) == size,
          "E_WRITE", path, " cannot be written: ", lastFailure());
}

}  // namespace

Journal::Journal(std::string path, uint64_t key)
    : path_(std::move(path)), key_(key), file_(openToContinue(path_)) {
  require(::flock(file_.descriptor(), LOCK_EX | LOCK_NB) == 0, "E_WRITE", path_,
          " is in use: another process writes this store; wait for it");
  read();
}

void Journal::read() {
  const int64_t size = file_.size();
  std::string all(static_cast<size_t>(std::max<int64_t>(size, 0)), '\0');
  const int64_t found = readAt(file_, all.data(), all.size(), 0);
  all.resize(static_cast<size_t>(std::max<int64_t>(found, 0)));
  const std::string header = headerOf(key_);
  // It is empty or cut short if a kill came right after it was made.
  const size_t begun = std::min<size_t>(all.size(), 8);
  const bool isBegun = all.compare(0, begun, kMagic, begun) == 0;
  isOurs_ = isBegun && begun == 8;
  require(isBegun, "E_WRITE", path_,
          " cannot be written: expected the journal of a store, found another "
          "file; choose another name for the store");
  wasThere_ = all.compare(0, kHeader, header) == 0;
  if (!wasThere_) return clear();
  Bytes rest = bytesOf(all).subspan(kHeader);
  size_t sound = kHeader;
  while (rest.size() >= kBlockHeader) {
    ByteReader reader(rest);
    const uint64_t bytes = reader.number(), crc = reader.number();
    rest = rest.subspan(kBlockHeader);
    if (bytes > rest.size() || crc32(rest.first(bytes)) != crc) break;
    readBlock(rest.first(bytes), &done_);
    rest = rest.subspan(bytes);
    sound += kBlockHeader + bytes;
  }
  cut(file_, path_, static_cast<int64_t>(sound));
}

void Journal::clear() {
  done_.clear();
  cut(file_, path_, 0);
  const std::string header = headerOf(key_);
  writeAll(file_, path_, header.data(), header.size());
  syncFile(file_, path_);
  syncFolderOf(path_);
}

void Journal::add(const std::vector<PackedImage>& images) {
  const std::string block = blockOf(images);
  writeAll(file_, path_, block.data(), block.size());
  syncFile(file_, path_);
  done_.insert(done_.end(), images.begin(), images.end());
}

void Journal::remove() { ::unlink(path_.c_str()); }

}  // namespace splitgrow
