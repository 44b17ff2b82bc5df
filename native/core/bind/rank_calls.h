// The calls of JavaScript about ranks.
#pragma once

#include <functional>

#include "bind/boundary.h"

namespace splitgrow {

// Adds them to the export table.
void addRanks(const std::function<void(const char* name, Exported call)>& add);

}  // namespace splitgrow
