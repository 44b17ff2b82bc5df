// Options of the exported calls, as lib/native/core.ts types them.
#pragma once

#include <napi.h>

#include "indices/indices.h"
#include "ranks/group.h"
#include "train/statistics.h"
#include "train/train.h"

namespace splitgrow {

// Counts and sizes.
constexpr int64_t kMost = int64_t{1} << 31;
// The largest integer that a JavaScript number holds exactly, and its seeds.
constexpr int64_t kMostExact = int64_t{1} << 53;

// All throw Error{E_ARGUMENT} naming the field.
Augment readAugment(const Napi::Object& o);
TrainOptions readTrainOptions(const Napi::Object& o);
EvaluateOptions readEvaluateOptions(const Napi::Object& o);
RecalibrateOptions readRecalibrateOptions(const Napi::Object& o);
IndicesOptions readIndicesOptions(const Napi::Object& o);
GroupOptions readGroupOptions(const Napi::Object& o);
Program readProgram(const Napi::Value& value);

// Why a pause was asked for, as JavaScript names it; by Pause.
constexpr const char* kPauseNames[] = {"", "checkpoint", "stop"};
// null, "checkpoint" or "stop".
Napi::Value toPause(Napi::Env env, Pause pause);

}  // namespace splitgrow
