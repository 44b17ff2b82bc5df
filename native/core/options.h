// Options of the exported calls, as lib/native.ts types them.
#pragma once

#include <napi.h>

#include "group.h"
#include "indices.h"
#include "train.h"

namespace splitgrow {

// All throw Error{E_ARGUMENT} naming the field.
TrainOptions readTrainOptions(const Napi::Object& o);
IndicesOptions readIndicesOptions(const Napi::Object& o);
GroupOptions readGroupOptions(const Napi::Object& o);

}  // namespace splitgrow
