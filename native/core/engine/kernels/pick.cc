// Chooses the widest loops that this processor has.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "engine/kernels/kernels.h"

namespace splitgrow::engine {

namespace baseline {
extern const Table table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Table table;
}
namespace avx512 {
extern const Table table;
}
#endif

namespace {

// What this processor has, the best first.
std::vector<const Table*> there() {
  std::vector<const Table*> tables;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    tables.push_back(&avx512::table);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    tables.push_back(&avx2::table);
#endif
  tables.push_back(&baseline::table);
  return tables;
}

}  // namespace

const Table& pick() {
  static const Table& chosen = []() -> const Table& {
    const auto tables = there();
    const char* const wanted = std::getenv("SPLITGROW_ENGINE");
    for (const Table* const table : tables)
      if (wanted != nullptr && std::strcmp(wanted, table->name) == 0)
        return *table;
    return *tables.front();
  }();
  return chosen;
}

const Table& pickFor(int64_t images) {
  constexpr int64_t kLeastLanes = 8;  // loops for 4 lack fused multiply-adds
  static const std::vector<const Table*> tables = there();
  for (const Table* const table : tables)
    if (table->lanes >= kLeastLanes && table->lanes < pick().lanes &&
        images <= table->lanes)
      return *table;
  return pick();
}

}  // namespace splitgrow::engine
