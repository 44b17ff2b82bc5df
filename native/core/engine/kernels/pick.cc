// Chooses the widest loops that this processor has.
#include <cstdlib>
#include <cstring>

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

struct Row {
  const Table* table;
  bool isThere;
};

}  // namespace

const Table& pick() {
  static const Table& chosen = []() -> const Table& {
    // The best first.
    const Row rows[] = {
#if defined(__x86_64__)
        {&avx512::table, __builtin_cpu_supports("avx512f") &&
                             __builtin_cpu_supports("avx512dq") &&
                             __builtin_cpu_supports("avx512vl") &&
                             __builtin_cpu_supports("avx512bw")},
        {&avx2::table,
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {&baseline::table, true},
    };
    const char* const wanted = std::getenv("SPLITGROW_ENGINE");
    const Table* best = nullptr;
    for (const Row& row : rows) {
      if (!row.isThere) continue;
      if (best == nullptr) best = row.table;
      if (wanted != nullptr && std::strcmp(wanted, row.table->name) == 0)
        return *row.table;
    }
    return *best;
  }();
  return chosen;
}

}  // namespace splitgrow::engine
