// Options of the exported calls, as lib/native/core.ts types them.
#pragma once

#include <napi.h>

#include "group.h"
#include "indices.h"
#include "statistics.h"
#include "train.h"

namespace splitgrow {

// All throw Error{E_ARGUMENT} naming the field.
Augment readAugment(const Napi::Object& o);
TrainOptions readTrainOptions(const Napi::Object& o);
EvaluateOptions readEvaluateOptions(const Napi::Object& o);
RecalibrateOptions readRecalibrateOptions(const Napi::Object& o);
IndicesOptions readIndicesOptions(const Napi::Object& o);
GroupOptions readGroupOptions(const Napi::Object& o);

}  // namespace splitgrow
