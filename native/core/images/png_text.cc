// Reads eXIf, tEXt, zTXt and iTXt as Pillow does.
#include "images/png_text.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "images/orientation.h"

namespace splitgrow {

namespace {

// Longer texts are left out; unpacking stops there.
constexpr size_t kMostText = size_t{1} << 20;
constexpr std::string_view kExif = "exif";
constexpr std::string_view kProfile = "Raw profile type exif";
constexpr std::string_view kXmp = "XML:com.adobe.xmp";

std::string_view textOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The bytes before the next zero; none if there is no zero.
std::optional<Bytes> untilZero(Bytes* bytes) {
  const auto end = std::find(bytes->begin(), bytes->end(), 0);
  if (end == bytes->end()) return {};
  const Bytes before(bytes->begin(), end);
  *bytes = Bytes(end + 1, bytes->end());
  return before;
}

std::vector<uint8_t> unpacked(Bytes bytes) {
  std::vector<uint8_t> text(kMostText + 1);
  Inflater inflater(text.data(), text.size());
  if (!inflater.add(bytes) || inflater.isFull()) return {};
  text.resize(inflater.size());
  return text;
}

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// ImageMagick's form: a line break, a name, a length, then pairs of hexadecimal
// digits in lines. A malformed text is no EXIF and is kept as it is.
std::vector<uint8_t> ofProfile(Bytes value) {
  std::string_view text = textOf(value);
  for (int i = 0; i < 3; ++i) {
    const size_t end = text.find('\n');
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  std::vector<uint8_t> bytes;
  int high = -1;
  for (const char c : text) {
    if (high < 0 && (c == '\n' || c == ' ' || c == '\r' || c == '\t')) continue;
    if (c == '\n') continue;
    const int digit = digitOf(c);
    if (digit < 0) return {value.begin(), value.end()};
    if (high >= 0) bytes.push_back(static_cast<uint8_t>(high << 4 | digit));
    high = high < 0 ? digit : -1;
  }
  return high < 0 ? bytes : std::vector<uint8_t>(value.begin(), value.end());
}

bool isWanted(Bytes key) {
  const std::string_view name = textOf(key);
  return name == kExif || name == kProfile || name == kXmp;
}

}  // namespace

void PngTexts::take(Bytes key, Bytes value, bool isPlain) {
  const std::string_view name = textOf(key);
  if (name == kProfile) {
    profile_ = ofProfile(value);
  } else if (name == kXmp) {
    xmp_.assign(value.begin(), value.end());
  } else if (isPlain) {
    exif_.assign(value.begin(), value.end());
    hasExif_ = true;
  }
}

void PngTexts::read(const PngChunk& chunk) {
  if (chunk.is("eXIf")) {
    exif_.assign(chunk.data.begin(), chunk.data.end());
    hasExif_ = true;
    return;
  }
  const bool isPlain = chunk.is("tEXt"), isPacked = chunk.is("zTXt");
  if (!isPlain && !isPacked && !chunk.is("iTXt")) return;
  Bytes rest = chunk.data;
  const auto key = untilZero(&rest);
  if (!key || !isWanted(*key)) return;
  if (isPlain) return take(*key, rest, true);
  // zTXt: a method. iTXt: whether it is packed, a method, language, name.
  const size_t flags = isPacked ? 1 : 2;
  if (rest.size() < flags) return;
  const bool isDeflated = isPacked || rest[0] != 0;
  if (isDeflated && rest[flags - 1] != 0) return;
  rest = rest.subspan(flags);
  if (!isPacked && (!untilZero(&rest) || !untilZero(&rest))) return;
  if (!isDeflated) return take(*key, rest, false);
  take(*key, unpacked(rest), false);
}

int PngTexts::orientation() const {
  return orientationOf(hasExif_ ? exif_ : profile_, xmp_);
}

}  // namespace splitgrow
