// Walks the markers of a JPEG (ITU-T T.81, annex B): what it holds, and
// whether it goes on to its end.
#include <algorithm>
#include <cstring>
#include <vector>

#include "images/formats.h"
#include "images/orientation.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

// The code of a marker, the byte behind 0xFF.
constexpr uint8_t kFrame = 0xC0;  // baseline; then extended, progressive, ...
constexpr uint8_t kProgressive = 0xC2;
constexpr uint8_t kLossless = 0xC3;
constexpr uint8_t kHuffmanTables = 0xC4;
constexpr uint8_t kArithmeticFrame = 0xC9;
constexpr uint8_t kArithmeticTables = 0xCC;
constexpr uint8_t kLastFrame = 0xCF;
constexpr uint8_t kFirstRestart = 0xD0;
constexpr uint8_t kStart = 0xD8;
constexpr uint8_t kEnd = 0xD9;
constexpr uint8_t kScan = 0xDA;
constexpr uint8_t kApp1 = 0xE1;

constexpr char kExif[] = "Exif\0";
constexpr char kXmp[] = "http://ns.adobe.com/xap/1.0/";

bool isFrame(uint8_t marker) {
  return marker >= kFrame && marker <= kLastFrame && marker != kHuffmanTables &&
         marker != 0xC8 && marker != kArithmeticTables;
}

bool startsWith(Bytes bytes, const char* text, size_t size) {
  return bytes.size() >= size && std::memcmp(bytes.data(), text, size) == 0;
}
// `text` and the zero behind it.
template <size_t size>
bool isNamed(Bytes bytes, const char (&text)[size]) {
  return startsWith(bytes, text, size);
}

class Walk {
 public:
  Walk(Bytes bytes, const ImageLimits& limits, ImageHeader* header)
      : bytes_(bytes), limits_(limits), header_(header) {}

  // Up to the first scan, or to the end. False where the bytes end before.
  bool to(bool end) {
    for (;;) {
      const int marker = next();
      if (marker < 0) return false;
      if (marker == kEnd) {
        require(scans_ > 0, "E_DATA", "the JPEG holds no image");
        return true;
      }
      if (marker == 0x01 || (marker >= kFirstRestart && marker <= kStart))
        continue;
      if (bytes_.size() - at_ < 2) return false;
      const size_t size = size_t{bytes_[at_]} << 8 | bytes_[at_ + 1];
      require(size >= 2, "E_DATA", "the JPEG has a segment of ", size,
              " bytes");
      if (bytes_.size() - at_ < size) return false;
      segment(static_cast<uint8_t>(marker), bytes_.subspan(at_ + 2, size - 2));
      at_ += size;
      if (marker != kScan) continue;
      if (!end) return true;
      if (!skipScan()) return false;
    }
  }
  bool hasScan() const { return scans_ > 0; }
  // Whether it has one scan, with every component in Huffman codes, in their
  // order.
  bool isPlain() const { return isPlain_ && scans_ == 1; }
  // Of what stands before the first scan.
  int orientation() const { return orientationOf(exif_, xmp_); }

 private:
  // The code of the next marker; -1 if the bytes end. 0xFF before 0 is no
  // marker.
  int next() {
    while (const auto* found = find()) {
      at_ = static_cast<size_t>(found - bytes_.data()) + 1;
      while (at_ < bytes_.size() && bytes_[at_] == 0xFF) ++at_;
      if (at_ >= bytes_.size()) return -1;
      const uint8_t code = bytes_[at_++];
      if (code != 0) return code;
    }
    return -1;
  }
  const uint8_t* find() const {
    if (at_ >= bytes_.size()) return nullptr;
    return static_cast<const uint8_t*>(
        std::memchr(bytes_.data() + at_, 0xFF, bytes_.size() - at_));
  }
  // Skips entropy-coded data. 0xFF before 0 is data, and restart markers belong
  // to it.
  bool skipScan() {
    for (;;) {
      const auto* found = find();
      if (found == nullptr) return false;
      at_ = static_cast<size_t>(found - bytes_.data());
      if (bytes_.size() - at_ < 2) return false;
      const uint8_t code = bytes_[at_ + 1];
      if (code == 0 || (code >= kFirstRestart && code < kStart))
        at_ += 2;
      else if (code == 0xFF)
        ++at_;
      else
        return true;
    }
  }

  void segment(uint8_t marker, Bytes s) {
    if (isFrame(marker)) {
      frame(marker, s);
    } else if (marker == kScan) {
      require(header_->width > 0, "E_DATA",
              "the JPEG has a scan before its frame");
      ++scans_;
      require(scans_ <= limits_.scans, "E_DATA", "it has more than ",
              limits_.scans, " scans (maxScans)");
      if (s.empty() || s[0] != header_->channels) isPlain_ = false;
    } else if (marker == kApp1 && scans_ == 0) {
      // EXIF of more than one segment goes on in the next.
      if (isNamed(s, kExif))
        exif_.insert(exif_.end(),
                     s.begin() + (exif_.empty() ? 0 : sizeof kExif), s.end());
      else if (isNamed(s, kXmp))
        xmp_ = s.subspan(sizeof kXmp);
    }
  }

  void frame(uint8_t marker, Bytes s) {
    require(header_->width == 0, "E_DATA", "the JPEG has more than one frame");
    require(marker <= kLossless || marker == kArithmeticFrame ||
                marker == kArithmeticFrame + 1,
            "E_DATA", "its JPEG process (SOF", marker - kFrame,
            ") is not read");
    require(s.size() >= 6, "E_DATA", "the JPEG's frame is cut short");
    require(s[0] == 8, "E_DATA", "it has ", int{s[0]},
            " bits a sample; 8 are read");
    header_->kind = ImageKind::kJpeg;
    header_->height = s[1] << 8 | s[2];
    header_->width = s[3] << 8 | s[4];
    header_->channels = s[5];
    require(header_->channels == 1 || header_->channels == 3 ||
                header_->channels == 4,
            "E_DATA", "it has ", header_->channels,
            " components; 1, 3 or 4 are read");
    require(header_->width > 0 && header_->height > 0, "E_DATA", "it is ",
            header_->width, " x ", header_->height, " pixels large");
    isPlain_ = marker < kProgressive;
    header_->isLossless = marker == kLossless;
    components(s.subspan(6));
  }

  // The widest coded unit: that of the densest component.
  void components(Bytes s) {
    const auto count = static_cast<size_t>(header_->channels);
    require(s.size() >= 3 * count, "E_DATA", "the JPEG's frame is cut short");
    for (size_t i = 0; i < count; ++i) {
      const int across = s[3 * i + 1] >> 4, down = s[3 * i + 1] & 15;
      require(across >= 1 && across <= 4 && down >= 1 && down <= 4, "E_DATA",
              "a component's sampling factors are ", across, " x ", down,
              "; 1 to 4 are read");
      header_->unitWidth = std::max(header_->unitWidth, 8 * across);
    }
  }

  Bytes bytes_;
  const ImageLimits& limits_;
  ImageHeader* header_;
  size_t at_ = 2;
  int64_t scans_ = 0;
  bool isPlain_ = false;
  std::vector<uint8_t> exif_;
  Bytes xmp_;
};

}  // namespace

bool isJpeg(Bytes bytes) { return startsWith(bytes, "\xFF\xD8\xFF", 3); }

bool readJpegHeader(Bytes bytes, bool isWhole, const ImageLimits& limits,
                    ImageHeader* header) {
  Walk walk(bytes, limits, header);
  const bool isThere = walk.to(isWhole);
  header->orientation = walk.orientation();
  if (isThere || !isWhole || !walk.hasScan()) return isThere;
  // The decoder finds out whether the pixels end before the file does.
  require(walk.isPlain(), "E_DATA",
          "the file is cut short: the JPEG has no end");
  header->hasEnd = false;
  return true;
}

}  // namespace splitgrow
