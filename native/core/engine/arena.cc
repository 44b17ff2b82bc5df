// First fit in the order of birth.
#include "engine/arena.h"

#include <algorithm>
#include <numeric>

namespace splitgrow::engine {

namespace {

// Values that are read and written together begin at different places of a
// page, or stores would seem to meet loads.
constexpr int64_t kSkew = 5, kSkews = 8;

}  // namespace

Places placesOf(const std::vector<Life>& lives) {
  std::vector<size_t> order(lives.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return lives[a].from < lives[b].from;
  });
  Places places;
  places.at.assign(lives.size(), 0);
  std::vector<size_t> placed;
  for (size_t n = 0; n < order.size(); ++n) {
    const size_t one = order[n];
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (const size_t other : placed)
      if (lives[other].to >= lives[one].from)
        taken.emplace_back(places.at[other],
                           places.at[other] + lives[other].size);
    std::sort(taken.begin(), taken.end());
    const int64_t skew = static_cast<int64_t>(n) % kSkews * kSkew;
    int64_t at = skew;
    for (const auto& [begin, end] : taken) {
      if (at + lives[one].size <= begin) break;
      at = std::max(at, end + skew);
    }
    places.at[one] = at;
    places.size = std::max(places.size, at + lives[one].size);
    placed.push_back(one);
  }
  return places;
}

}  // namespace splitgrow::engine
