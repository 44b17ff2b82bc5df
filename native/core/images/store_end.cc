// What a store begins and ends with.
#include "images/store.h"
#include "images/store_bytes.h"

namespace splitgrow {

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
  trailer.ownCrc = trailer.checksum();
  std::copy(kStoreMagic, kStoreMagic + 8, trailer.magic);
  end.append(reinterpret_cast<const char*>(&trailer), sizeof trailer);
  return end;
}

}  // namespace splitgrow
