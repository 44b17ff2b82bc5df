// What a store begins and ends with, and reading it. Nothing of a file is
// trusted: places and sizes are compared with the file's before they are used,
// and all of it has checksums.
#include "images/store.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "images/files.h"
#include "images/store_bytes.h"
#include "tensor/error.h"

namespace splitgrow {

struct Store::Mapping {
  File file;
  void* start = MAP_FAILED;
  size_t size = 0;
  ~Mapping() {
    if (start != MAP_FAILED) ::munmap(start, size);
  }
};

Store::~Store() = default;

Store::Store(const std::string& path) : path_(path) {
  mapping_ = std::make_unique<Mapping>();
  mapping_->file = File(path, O_RDONLY | O_NONBLOCK);
  require(mapping_->file.isOpen(), "E_FILE", path,
          " cannot be opened: ", lastFailure());
  const int64_t size = mapping_->file.size();
  require(size >= 0, "E_FILE", path, " is no regular file");
  size_ = static_cast<size_t>(size);
  require(size_ >= kStoreHeader + kStoreTrailer, "E_DATA", path,
          " is no packed store: it has ", size_, " bytes");
  mapping_->size = size_;
  mapping_->start = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED,
                           mapping_->file.descriptor(), 0);
  require(mapping_->start != MAP_FAILED, "E_FILE", path,
          " cannot be mapped: ", lastFailure());
  // NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer): known by now
  data_ = static_cast<const uint8_t*>(mapping_->start);
  require(std::memcmp(data_, kStoreMagic, 8) == 0, "E_DATA", path,
          " is no packed store of version 1");
  readEnd();
}

void Store::readEnd() {
  const auto sound = [&](bool holds, const char* what) {
    require(holds, "E_DATA", path_, " is damaged or cut short: ", what,
            "; pack it anew");
  };
  StoreTrailer trailer;
  std::memcpy(&trailer, data_ + size_ - sizeof trailer, sizeof trailer);
  sound(std::memcmp(trailer.magic, kStoreMagic, 8) == 0, "it has no end");
  sound(trailer.trailerCrc == trailer.checksum(),
        "its end is not what was written");
  const size_t end = size_ - kStoreTrailer;
  const size_t most = end - kStoreHeader;
  sound(trailer.index >= kStoreHeader && trailer.index <= end &&
            trailer.images <= most / sizeof(StoreRecord) &&
            trailer.names <= most && trailer.facts <= most &&
            trailer.index + trailer.images * sizeof(StoreRecord) +
                    trailer.names + trailer.facts ==
                end,
        "its index has another size");
  const Bytes rest(data_ + trailer.index, end - trailer.index);
  sound(crc32(rest) == trailer.crc, "its index is not what was written");
  index_ = trailer.index;
  count_ = static_cast<int64_t>(trailer.images);
  names_ = index_ + trailer.images * sizeof(StoreRecord);
  namesSize_ = trailer.names;
  readFacts(Bytes(data_ + names_ + namesSize_, trailer.facts));
  sound(std::memcmp(data_, storeHeader(facts_).data(), kStoreHeader) == 0,
        "its beginning is not what was written");

  int64_t images = 0;
  for (const StorePart& part : facts_.parts) {
    sound(part.images >= 0 && part.images <= count_ - images,
          "its parts do not fit its index");
    images += part.images;
  }
  sound(images == count_, "its parts do not fit its index");
  sound(namesSize_ == 0 || data_[names_ + namesSize_ - 1] == 0,
        "its names have no end");
  for (int64_t i = 0; i < count_; ++i) {
    const StoreRecord r = record(i);
    sound(r.offset >= kStoreHeader && r.offset <= index_ &&
              r.bytes <= index_ - r.offset && r.name < namesSize_,
          "an image lies outside");
    sound(
        r.label >= 0 && static_cast<size_t>(r.label) < facts_.classNames.size(),
        "a label is none of its classes");
  }
}

void Store::readFacts(Bytes text) {
  ByteReader reader(text);
  facts_.shortSide = static_cast<int>(reader.number());
  facts_.quality = static_cast<int>(reader.number());
  const uint64_t parts = reader.number(), classes = reader.number();
  for (uint64_t i = 0; i < parts && reader.isSound(); ++i) {
    StorePart part;
    part.images = static_cast<int64_t>(reader.number());
    part.name = reader.text();
    facts_.parts.push_back(std::move(part));
  }
  for (uint64_t i = 0; i < classes && reader.isSound(); ++i)
    facts_.classNames.push_back(reader.text());
  require(reader.isSound() && reader.isAtEnd(), "E_DATA", path_,
          " is damaged: its list of classes is malformed; pack it anew");
}

StoreRecord Store::record(int64_t index) const {
  StoreRecord r;
  std::memcpy(&r, data_ + index_ + index * sizeof r, sizeof r);
  return r;
}

std::string Store::name(int64_t index) const {
  // The last of the names is terminated.
  return reinterpret_cast<const char*>(data_ + names_ + record(index).name);
}

std::pair<int64_t, int64_t> Store::part(const std::string& name) const {
  int64_t from = 0;
  std::string known;
  for (const StorePart& part : facts_.parts) {
    if (part.name == name) return {from, part.images};
    from += part.images;
    known += (known.empty() ? "" : ", ") + part.name;
  }
  throw Error("E_DATA", path_ + " has no part \"" + name + "\"; it has " +
                            (known.empty() ? "none" : known));
}

Bytes Store::image(int64_t index) const {
  // If somebody cuts the file short, reading a page that is gone would end the
  // process. This check leaves only a moment for that, not a whole pass.
  require(mapping_->file.size() >= static_cast<int64_t>(size_), "E_DATA",
          "the store was cut short while in use");
  const StoreRecord r = record(index);
  const size_t page = 4096, start = r.offset / page * page;
  // All pages of the image at once instead of one after the other.
  ::madvise(const_cast<uint8_t*>(data_) + start, r.offset + r.bytes - start,
            MADV_WILLNEED);
  const Bytes bytes(data_ + r.offset, r.bytes);
  require(crc32(bytes) == r.crc, "E_DATA",
          "its checksum is not the store's: the store is damaged");
  return bytes;
}

static_assert(sizeof(StoreTrailer) == kStoreTrailer);

std::string storeHeader(const StoreFacts& facts) {
  std::string header(kStoreMagic, 8);
  addNumber(&header, static_cast<uint64_t>(facts.shortSide));
  addNumber(&header, static_cast<uint64_t>(facts.quality));
  header.resize(kStoreHeader);
  return header;
}

std::string storeEnd(const StoreFacts& facts,
                     const std::vector<StoreRecord>& records,
                     const std::string& names, uint64_t offset) {
  std::string end(reinterpret_cast<const char*>(records.data()),
                  records.size() * sizeof(StoreRecord));
  end += names;
  const size_t before = end.size();
  addNumber(&end, static_cast<uint64_t>(facts.shortSide));
  addNumber(&end, static_cast<uint64_t>(facts.quality));
  addNumber(&end, facts.parts.size());
  addNumber(&end, facts.classNames.size());
  for (const StorePart& part : facts.parts) {
    addNumber(&end, static_cast<uint64_t>(part.images));
    addText(&end, part.name);
  }
  for (const std::string& name : facts.classNames) addText(&end, name);
  StoreTrailer trailer;
  trailer.index = offset;
  trailer.images = records.size();
  trailer.names = names.size();
  trailer.facts = end.size() - before;
  trailer.crc = crc32(bytesOf(end));
  trailer.trailerCrc = trailer.checksum();
  std::copy(kStoreMagic, kStoreMagic + 8, trailer.magic);
  end.append(reinterpret_cast<const char*>(&trailer), sizeof trailer);
  return end;
}

}  // namespace splitgrow
