// How the threads of a grid share [rows, channels] values, channels innermost:
// a thread owns V neighbouring channels and every so many-th row, so that
// per-channel numbers stay in its registers.
#pragma once

#include "arithmetic.h"

namespace splitgrow::gpu {

struct Extent {
  int64_t rows = 0;
  int32_t channels = 0;
};

constexpr int kThreads = 256;    // of a block
constexpr int kWidest = 32;      // lanes of a block along channels
constexpr int kMostSums = 1024;  // blocks that write partial sums

// A block is `lanes` threads along channels by kThreads / lanes along rows;
// both are powers of two. The grid is `across` blocks of channels by `along`
// of rows. Nothing here depends on the GPU, so neither do sums.
struct Grid {
  int lanes = 1;
  int across = 1;
  int along = 1;
  int rowsOfBlock() const { return kThreads / lanes; }
};

inline Grid gridOf(const Extent& extent, int vector, int rowsOfThread,
                   int64_t mostBlocks) {
  Grid grid;
  const int vectors = extent.channels / vector;
  while (grid.lanes < vectors && grid.lanes < kWidest) grid.lanes *= 2;
  grid.across = (vectors + grid.lanes - 1) / grid.lanes;
  const int64_t rows = int64_t{rowsOfThread} * grid.rowsOfBlock();
  const int64_t wanted = (extent.rows + rows - 1) / rows;
  const int64_t most =
      mostBlocks / grid.across > 0 ? mostBlocks / grid.across : int64_t{1};
  grid.along = static_cast<int>(wanted < most ? wanted : most);
  if (grid.along < 1) grid.along = 1;
  return grid;
}
inline Grid elementGrid(const Extent& extent, int vector) {
  return gridOf(extent, vector, 8, int64_t{1} << 30);
}
inline Grid sumGrid(const Extent& extent, int vector) {
  return gridOf(extent, vector, 16, kMostSums);
}

// What one thread works on.
struct Lane {
  int64_t row, rowStep;
  int32_t channel;  // the first of V; outside: none of them exists
  bool isInside;
};

SPLITGROW_BOTH Lane laneOf(const Extent& extent, int vector, int lanes,
                           int along, int thread, int blockAcross,
                           int blockAlong) {
  const int rows = kThreads / lanes;
  Lane lane;
  lane.row = static_cast<int64_t>(blockAlong) * rows + thread / lanes;
  lane.rowStep = static_cast<int64_t>(along) * rows;
  lane.channel = (blockAcross * lanes + thread % lanes) * vector;
  lane.isInside = lane.channel + vector <= extent.channels;
  return lane;
}

// V neighbouring values, read and written at once.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T at[V];
};

template <class T, int V>
SPLITGROW_BOTH void load(const void* from, int64_t offset, float (&to)[V]) {
  const Pack<T, V> pack = *reinterpret_cast<const Pack<T, V>*>(
      static_cast<const T*>(from) + offset);
  for (int k = 0; k < V; ++k) to[k] = toFloat(pack.at[k]);
}
template <class T, int V>
SPLITGROW_BOTH void store(const float (&from)[V], void* to, int64_t offset) {
  Pack<T, V> pack;
  for (int k = 0; k < V; ++k) pack.at[k] = fromFloat<T>(from[k]);
  *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(to) + offset) = pack;
}
// Per-channel numbers; `other` where there are none.
template <int V>
SPLITGROW_BOTH void loadChannels(const float* from, int32_t channel,
                                 float other, float (&to)[V]) {
  for (int k = 0; k < V; ++k)
    to[k] = from != nullptr ? from[channel + k] : other;
}

}  // namespace splitgrow::gpu
