// Many threads make the images, one writes them in order. A journal beside the
// store says what is on the disk for good. The store itself appears by a
// rename, so it is either complete or absent.
#include "images/pack.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "images/ordered.h"
#include "images/pack_image.h"
#include "images/store_bytes.h"
#include "tensor/clock.h"
#include "tensor/random.h"

namespace splitgrow {

namespace {

// An interruption costs at most the work since the last entry of the journal.
constexpr double kSeconds = 2;
constexpr size_t kBytes = size_t{256} << 20;

uint64_t keyOf(const std::vector<ImageFiles>& parts, const PackOptions& o) {
  std::string all = storeHeader(o.facts);
  addNumber(&all, static_cast<uint64_t>(o.limits.pixels));
  addNumber(&all, static_cast<uint64_t>(o.limits.scans));
  for (const StorePart& part : o.facts.parts) addText(&all, part.name);
  for (const std::string& name : o.facts.classNames) addText(&all, name);
  for (const ImageFiles& files : parts) {
    addText(&all, files.root);
    for (int64_t i = 0; i < files.size(); ++i) {
      addNumber(&all, static_cast<uint64_t>(files.label(i)));
      addText(&all, files.paths[i]);
    }
  }
  all.resize((all.size() + 7) / 8 * 8);
  uint64_t key = 0;
  for (size_t at = 0; at < all.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, all.data() + at, 8);
    key = scrambled(key ^ word);
  }
  return key;
}

bool isStoreFile(const File& file) {
  char begin[8] = {};
  return readAt(file, begin, sizeof begin, 0) == sizeof begin &&
         std::memcmp(begin, kStoreMagic, sizeof begin) == 0;
}

// A file with the store's name must be a store: nothing else is overwritten.
void requireStore(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return;
  const File file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  require(file.isOpen() && isStoreFile(file), "E_WRITE", path,
          " cannot be written: expected no file of this name, found one that "
          "is no store; choose another name");
}

class Packing {
 public:
  Packing(const std::vector<ImageFiles>& parts, const PackOptions& options,
          const Control& control)
      : parts_(parts),
        options_(options),
        control_(control),
        temporary_(options.store + ".part"),
        journal_(options.store + ".journal", keyOf(parts, options)) {
    for (const ImageFiles& files : parts) total_ += files.size();
  }

  Packed run() {
    if (isFinished()) return told(Store(options_.store).bytes());
    openPart();
    const int64_t from = static_cast<int64_t>(journal_.done().size());
    resumed_ = from;
    const auto make = [&]() -> std::function<PackedBytes(int64_t)> {
      auto packer = std::make_shared<ImagePacker>(
          options_.limits, options_.facts.shortSide, options_.facts.quality);
      return [this, packer](int64_t item) {
        const auto [part, index] = placeOf(item);
        return packer->pack(parts_[part], index);
      };
    };
    inOrder<PackedBytes>(
        from, total_, options_.threads, int64_t{4} * options_.threads + 16,
        make,
        [&](int64_t item, const PackedBytes& packed) { take(item, packed); },
        [&] { control_.check(); });
    commit();
    return finish();
  }

 private:
  std::pair<int64_t, int64_t> placeOf(int64_t item) const {
    int64_t part = 0;
    while (item >= parts_[part].size()) item -= parts_[part++].size();
    return {part, item};
  }

  // A run was killed after the rename and before it removed the journal.
  bool isFinished() const {
    return journal_.wasThere() &&
           static_cast<int64_t>(journal_.done().size()) == total_ &&
           ::access(temporary_.c_str(), F_OK) != 0 &&
           ::access(options_.store.c_str(), F_OK) == 0;
  }

  void openPart() {
    file_ = openToContinue(temporary_);
    // The journal comes before the part.
    require(journal_.isOurs() || file_.size() == 0 || isStoreFile(file_),
            "E_WRITE", temporary_,
            " cannot be written: expected no file of this name, found one that "
            "is no part of a store; choose another name for the store");
    written_ = kStoreHeader;
    for (const PackedImage& image : journal_.done()) written_ += image.bytes;
    if (file_.size() < static_cast<int64_t>(written_)) {
      journal_.clear();
      written_ = kStoreHeader;
    }
    const auto offset = static_cast<off_t>(written_);
    require(::ftruncate(file_.descriptor(), offset) == 0 &&
                ::lseek(file_.descriptor(), offset, SEEK_SET) == offset,
            "E_WRITE", temporary_, " cannot be written: ", lastFailure());
    const std::string header = storeHeader(options_.facts);
    require(::pwrite(file_.descriptor(), header.data(), header.size(), 0) ==
                static_cast<ssize_t>(header.size()),
            "E_WRITE", temporary_, " cannot be written: ", lastFailure());
  }

  void take(int64_t item, const PackedBytes& packed) {
    waiting_.insert(waiting_.end(), packed.bytes.begin(), packed.bytes.end());
    uncommitted_.push_back(packed.image);
    if (waiting_.size() >= kBytes || secondsSince(committed_) > kSeconds)
      commit();
    control_.report({"pack", item + 1, total_, item + 1, secondsSince(start_),
                     std::nan("")});
  }

  void commit() {
    writeAll(file_, temporary_, waiting_.data(), waiting_.size());
    syncFile(file_, temporary_);
    journal_.add(uncommitted_);
    written_ += waiting_.size();
    waiting_.clear();
    uncommitted_.clear();
    committed_ = Clock::now();
  }

  Packed finish() {
    StoreFacts facts = options_.facts;
    std::vector<StoreRecord> records;
    std::string names;
    for (StorePart& part : facts.parts) part.images = 0;
    uint64_t offset = kStoreHeader;
    for (int64_t i = 0; i < total_; ++i) {
      const PackedImage& image = journal_.done()[i];
      if (!image.reason.empty()) continue;
      const auto [part, index] = placeOf(i);
      const ImageFiles& files = parts_[part];
      records.push_back({offset, image.bytes, image.crc,
                         static_cast<int32_t>(files.label(index)), image.width,
                         image.height, 0, names.size()});
      addText(&names, files.paths[index]);
      offset += image.bytes;
      ++facts.parts[part].images;
    }
    const std::string end = storeEnd(facts, records, names, offset);
    writeAll(file_, temporary_, end.data(), end.size());
    syncFile(file_, temporary_);
    requireStore(options_.store);
    require(::rename(temporary_.c_str(), options_.store.c_str()) == 0,
            "E_WRITE", options_.store, " cannot be written: ", lastFailure());
    syncFolderOf(options_.store);
    return told(static_cast<int64_t>(offset + end.size()));
  }

  Packed told(int64_t bytes) {
    Packed result;
    result.bytes = bytes;
    result.resumed = resumed_;
    for (int64_t i = 0; i < total_; ++i) {
      const PackedImage& image = journal_.done()[i];
      const auto [part, index] = placeOf(i);
      if (image.reason.empty())
        ++result.images;
      else
        result.problems.push_back({part, index, image.reason});
    }
    journal_.remove();
    return result;
  }

  const std::vector<ImageFiles>& parts_;
  const PackOptions& options_;
  const Control& control_;
  const std::string temporary_;
  Journal journal_;
  File file_;
  int64_t total_ = 0, resumed_ = 0;
  uint64_t written_ = 0;
  std::vector<uint8_t> waiting_;
  std::vector<PackedImage> uncommitted_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point committed_ = start_;
};

}  // namespace

Packed packImages(const std::vector<ImageFiles>& parts,
                  const PackOptions& options, const Control& control) {
  return Packing(parts, options, control).run();
}

}  // namespace splitgrow
