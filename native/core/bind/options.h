// Options of the exported calls, as lib/native/core.ts types them.
#pragma once

#include <napi.h>

#include "indices/indices.h"
#include "ranks/group.h"
#include "train/statistics.h"
#include "train/train.h"

namespace splitgrow {

// All throw Error{E_ARGUMENT} naming the field.
Augment readAugment(const Napi::Object& o);
TrainOptions readTrainOptions(const Napi::Object& o);
EvaluateOptions readEvaluateOptions(const Napi::Object& o);
RecalibrateOptions readRecalibrateOptions(const Napi::Object& o);
IndicesOptions readIndicesOptions(const Napi::Object& o);
GroupOptions readGroupOptions(const Napi::Object& o);

}  // namespace splitgrow
