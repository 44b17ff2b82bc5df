// The packed store (version 1): images of a whole dataset in one file,
// memory-mapped. All numbers are little-endian; texts are UTF-8 with a NUL.
//
//   header   64 bytes: SGSTORE1, shorter side (u64, 0: files as they were),
//            quality (u64), zeros
//   images   the bytes of the JPEG and PNG files, part after part
//   index    40 bytes an image, a StoreRecord
//   names    the files' paths
//   facts    shorter side, quality, parts, classes (u64 each); of each part
//            its images (u64) and its name; the names of the classes
//   trailer  64 bytes: offset of the index, images, bytes of names, bytes of
//            facts (u64 each), CRC-32 of index, names and facts (u32), zeros
//            (16), CRC-32 of the trailer so far (u32), SGSTORE1
//
// Sizes and places are compared with the file's when it is opened, an image
// with its CRC-32 whenever it is read. While a store is written it is
// STORE.part, and STORE.journal says how much of it is on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "images/source.h"

namespace splitgrow {

struct StorePart {
  std::string name;
  int64_t images = 0;
};

// What is told of a store beside its images.
struct StoreFacts {
  std::vector<StorePart> parts;
  std::vector<std::string> classNames;
  int shortSide = 0;  // 0: the files as they were
  int quality = 0;
};

constexpr size_t kStoreHeader = 64, kStoreTrailer = 64;
constexpr char kStoreMagic[9] = "SGSTORE1";

// Of one image, as the file has it: little-endian, as every machine that
// LibTorch runs on.
struct StoreRecord {
  uint64_t offset = 0;  // of its bytes in the file
  uint32_t bytes = 0, crc = 0;
  int32_t label = 0, width = 0, height = 0;
  uint32_t reserved = 0;
  uint64_t name = 0;  // offset in the names
};
static_assert(sizeof(StoreRecord) == 40);

std::string storeHeader(const StoreFacts& facts);
// Index, names, facts and trailer: what follows the images, `offset` bytes
// from the start.
std::string storeEnd(const StoreFacts& facts,
                     const std::vector<StoreRecord>& records,
                     const std::string& names, uint64_t offset);

class Store {
 public:
  // Throws Error: E_FILE where it cannot be read, E_DATA where it is malformed.
  explicit Store(const std::string& path);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const StoreFacts& facts() const { return facts_; }
  int64_t images() const { return count_; }
  int64_t bytes() const { return static_cast<int64_t>(size_); }
  // First image and number of images of a part. Throws Error{E_DATA}.
  std::pair<int64_t, int64_t> part(const std::string& name) const;
  StoreRecord record(int64_t index) const;
  std::string name(int64_t index) const;
  // Checked against its checksum. Throws Error{E_DATA} without the name.
  Bytes image(int64_t index) const;

 private:
  struct Mapping;
  void readEnd();
  void readFacts(Bytes text);
  std::string path_;
  std::unique_ptr<Mapping> mapping_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t index_ = 0, names_ = 0, namesSize_ = 0;
  int64_t count_ = 0;
  StoreFacts facts_;
};

// One part of a store, or images chosen from it.
struct StoredImages : ImageSource {
  std::shared_ptr<const Store> store;
  int64_t from = 0, count = 0;  // of the part
  bool isChosen = false;
  std::vector<int32_t> chosen;  // of the part's images
  std::vector<int32_t> labels;  // instead of the store's own, one an image

  int64_t size() const override {
    return isChosen ? static_cast<int64_t>(chosen.size()) : count;
  }
  int64_t place(int64_t index) const {
    return from + (isChosen ? chosen[index] : index);
  }
  int64_t label(int64_t index) const override {
    return labels.empty() ? store->record(place(index)).label : labels[index];
  }
  std::string name(int64_t index) const override {
    return store->name(place(index));
  }
  Bytes read(int64_t index, Buffer*) const override {
    return store->image(place(index));
  }
};

}  // namespace splitgrow
