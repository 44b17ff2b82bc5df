// Positions of a minibatch, cut for the caches.
#pragma once

#include <algorithm>
#include <cstdint>

namespace splitgrow::engine {

// Chunks of at most `most` positions: some pixels of one block of images, or
// all pixels of several blocks side by side.
struct Chunks {
  Chunks(int64_t most, int64_t pixels_, int64_t blocks_)
      : blocks(blocks_),
        pixels(pixels_),
        blocksEach(pixels < most ? std::clamp<int64_t>(most / pixels, 1, blocks)
                                 : 1),
        pixelsEach(std::min(pixels, most)),
        plane(blocksEach * pixelsEach | 1),
        count((blocks + blocksEach - 1) / blocksEach * ofBlock()) {}
  int64_t blocks, pixels, blocksEach, pixelsEach;
  int64_t plane;  // from a channel of a chunk to the next
  int64_t count;
  // Of a chunk.
  int64_t firstBlock(int64_t chunk) const {
    return chunk / ofBlock() * blocksEach;
  }
  int64_t blocksOf(int64_t chunk) const {
    return std::min(blocksEach, blocks - firstBlock(chunk));
  }
  int64_t firstPixel(int64_t chunk) const {
    return chunk % ofBlock() * pixelsEach;
  }
  int64_t pixelsOf(int64_t chunk) const {
    return std::min(pixelsEach, pixels - firstPixel(chunk));
  }

 private:
  int64_t ofBlock() const { return (pixels + pixelsEach - 1) / pixelsEach; }
};

}  // namespace splitgrow::engine
