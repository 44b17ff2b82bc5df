// Reads the orientation in EXIF, of every type of number, and in XMP.
#include "images/orientation.h"

#include <bit>
#include <cmath>
#include <optional>
#include <string_view>

namespace splitgrow {

namespace {

constexpr uint32_t kOrientation = 0x0112;
constexpr size_t kEntry = 12;  // tag, type, count, and the value or its place

enum class Number { kNone, kUnsigned, kSigned, kFloat, kRatio, kSignedRatio };
struct Type {
  size_t size = 0;  // bytes of one value; 0: no such type
  Number number = Number::kNone;
};

// TIFF 6.0's types, and 13 and 16 of its supplements, by their numbers.
constexpr Type kTypes[] = {{},
                           {1, Number::kNone},
                           {1, Number::kNone},
                           {2, Number::kUnsigned},
                           {4, Number::kUnsigned},
                           {8, Number::kRatio},
                           {1, Number::kSigned},
                           {1, Number::kNone},
                           {2, Number::kSigned},
                           {4, Number::kSigned},
                           {8, Number::kSignedRatio},
                           {4, Number::kFloat},
                           {8, Number::kFloat},
                           {4, Number::kUnsigned},
                           {},
                           {},
                           {8, Number::kUnsigned}};

std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Tiff {
 public:
  explicit Tiff(Bytes bytes)
      : bytes_(bytes), isLittle_(!bytes.empty() && bytes[0] == 'I') {}

  bool isSound() const {
    if (bytes_.size() < 8 || bytes_[0] != bytes_[1]) return false;
    if (bytes_[0] != 'I' && bytes_[0] != 'M') return false;
    // Some writers swap the bytes of this number.
    return bytes_[2] + bytes_[3] == 42 && (bytes_[2] == 0 || bytes_[3] == 0);
  }

  // No value: the first directory has no orientation. 0: it has one that is no
  // number.
  std::optional<double> orientation() const {
    const size_t directory = number(bytes_.subspan(4, 4));
    if (!has(directory, 2)) return {};
    const size_t entries = number(bytes_.subspan(directory, 2));
    uint64_t outside = 0;  // bytes of values that did not fit their entries
    for (size_t i = 0; i < entries; ++i) {
      const size_t at = directory + 2 + i * kEntry;
      if (!has(at, kEntry)) break;
      const uint64_t tag = number(bytes_.subspan(at, 2));
      const uint64_t type = number(bytes_.subspan(at + 2, 2));
      const uint64_t count = number(bytes_.subspan(at + 4, 4));
      if (type >= std::size(kTypes) || kTypes[type].size == 0) continue;
      const uint64_t size = count * kTypes[type].size;
      size_t place = at + 8;
      if (size > 4) {
        outside += size;
        if (outside > bytes_.size()) continue;
        place = number(bytes_.subspan(place, 4));
        // Cut short: what follows is not read either.
        if (!has(place, size)) break;
      }
      if (tag == kOrientation && size > 0)
        return valueOf(kTypes[type], bytes_.subspan(place));
    }
    return {};
  }

 private:
  bool has(size_t at, uint64_t size) const {
    return at <= bytes_.size() && bytes_.size() - at >= size;
  }
  uint64_t number(Bytes bytes) const {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i)
      value = value << 8 | bytes[isLittle_ ? bytes.size() - 1 - i : i];
    return value;
  }
  double signedNumber(Bytes bytes) const {
    const auto shift = static_cast<int>(64 - 8 * bytes.size());
    return static_cast<double>(static_cast<int64_t>(number(bytes) << shift) >>
                               shift);
  }
  double valueOf(const Type& type, Bytes bytes) const {
    const Bytes all = bytes.first(type.size);
    switch (type.number) {
      case Number::kUnsigned:
        return static_cast<double>(number(all));
      case Number::kSigned:
        return signedNumber(all);
      case Number::kFloat:
        return type.size == 8
                   ? std::bit_cast<double>(number(all))
                   : std::bit_cast<float>(static_cast<uint32_t>(number(all)));
      case Number::kRatio:
        return static_cast<double>(number(all.first(4))) /
               static_cast<double>(number(all.subspan(4)));
      case Number::kSignedRatio:
        return signedNumber(all.first(4)) / signedNumber(all.subspan(4));
      case Number::kNone:
        break;
    }
    return 0;
  }

  Bytes bytes_;
  bool isLittle_;
};

// The first digit of tiff:Orientation, as an attribute or as an element.
int digitIn(std::string_view xmp) {
  constexpr std::string_view kName = "tiff:Orientation";
  for (size_t at = xmp.find(kName); at != xmp.npos; at = xmp.find(kName, at)) {
    at += kName.size();
    std::string_view rest = xmp.substr(at);
    if (rest.starts_with("=\""))
      rest.remove_prefix(2);
    else if (rest.starts_with('>'))
      rest.remove_prefix(1);
    else
      continue;
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return 1;
}

}  // namespace

int orientationOf(Bytes exif, Bytes xmp) {
  constexpr std::string_view kPrefix("Exif\0\0", 6);
  for (int i = 0; i < 2 && textOf(exif).starts_with(kPrefix); ++i)
    exif = exif.subspan(kPrefix.size());
  double value = 0;
  const Tiff tiff(exif);
  // Pillow asks XMP only where EXIF is sound or absent.
  if (!exif.empty() && !tiff.isSound()) return 1;
  const std::optional<double> found =
      exif.empty() ? std::nullopt : tiff.orientation();
  value = found ? *found : digitIn(textOf(xmp));
  const bool isKnown = value >= 1 && value <= 8 && std::floor(value) == value;
  return isKnown ? static_cast<int>(value) : 1;
}

}  // namespace splitgrow
