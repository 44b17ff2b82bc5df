// Reads options field by field.
#include "bind/options.h"

#include <algorithm>
#include <cmath>

#include "bind/boundary.h"

namespace splitgrow {

namespace {

// The field `pause` of options; null where there is none.
std::shared_ptr<PauseFlag> readPause(const Napi::Object& options) {
  if (!options.Has("pause")) return nullptr;
  return fromHandleOrNull<PauseFlag>(options.Get("pause"));
}

AverageOptions readAverage(const Napi::Object& o) {
  const AverageOptions average{readNumber(o, "decay"),
                               readInteger(o, "every", 1, kMost),
                               readInteger(o, "copies", 0, kMost)};
  require(average.decay >= 0 && average.decay < 1, "E_ARGUMENT",
          "`average.decay` must be from 0 to below 1, found ", average.decay);
  return average;
}

ResizedCrop readResizedCrop(const Napi::Object& o) {
  const ResizedCrop crop{readNumber(o, "leastArea"),
                         readNumber(o, "leastRatio"),
                         readNumber(o, "mostRatio")};
  require(crop.leastArea > 0 && crop.leastArea <= 1, "E_ARGUMENT",
          "`leastArea` must be above 0 and at most 1, found ", crop.leastArea);
  require(crop.leastRatio > 0 && crop.leastRatio <= crop.mostRatio &&
              crop.mostRatio < 1e6,
          "E_ARGUMENT", "`leastRatio` to `mostRatio` must be a range above 0,",
          " found ", crop.leastRatio, " to ", crop.mostRatio);
  return crop;
}

}  // namespace

Augment readAugment(const Napi::Object& o) {
  Augment augment;
  augment.flip = readBool(o, "flip");
  augment.crop = o.Has("crop") ? readInteger(o, "crop", 0, 4096) : 0;
  const auto has = [&](const char* name) {
    return o.Has(name) && !o.Get(name).IsUndefined();
  };
  if (has("resizedCrop"))
    augment.resizedCrop =
        readResizedCrop(readObject(o.Get("resizedCrop"), "resizedCrop"));
  augment.shift = has("shift") && readBool(o, "shift");
  require(!augment.shift || !augment.resizedCrop, "E_ARGUMENT",
          "`resizedCrop` and `shift` exclude each other");
  return augment;
}

namespace {

Remainder readRemainder(const Napi::Object& o) {
  if (!o.Has("remainder")) return Remainder::kKeep;
  const std::string name = readString(o, "remainder");
  require(name == "keep" || name == "join" || name == "drop", "E_ARGUMENT",
          "`remainder` must be keep, join or drop, found ", name);
  return name == "keep"   ? Remainder::kKeep
         : name == "join" ? Remainder::kJoin
                          : Remainder::kDrop;
}

int64_t readLeast(const Napi::Object& o) {
  return o.Has("leastImages") ? readInteger(o, "leastImages", 1, kMost) : 1;
}

}  // namespace

TrainOptions readTrainOptions(const Napi::Object& o) {
  TrainOptions options;
  options.batch = readInteger(o, "batch", 1, kMost);
  options.learningRates =
      readNumbers(field(o, "learningRates"), "learningRates");
  for (const double rate : options.learningRates)
    require(std::isfinite(rate), "E_ARGUMENT",
            "`learningRates` must be finite numbers, found ", rate);
  if (o.Has("microBatch"))
    options.microBatch = readInteger(o, "microBatch", 0, kMost);
  options.remainder = readRemainder(o);
  options.leastImages = readLeast(o);
  if (o.Has("start")) options.start = readInteger(o, "start", 0, kMost);
  if (o.Has("stop")) options.stop = readInteger(o, "stop", 0, kMost);
  options.pause = readPause(o);
  if (o.Has("state"))
    for (const auto& [name, tensor] : readTensors(field(o, "state"), "state")) {
      require(name == "sums" || name == "statistics", "E_ARGUMENT",
              "state: expected sums and statistics, found ", name);
      (name == "sums" ? options.state.sums : options.state.statistics) = tensor;
    }
  options.momentum = readFinite(o, "momentum");
  options.nesterov = readBool(o, "nesterov");
  options.weightDecay = readFinite(o, "weightDecay");
  const std::string decay = readString(o, "decay");
  require(decay == "all" || decay == "weights", "E_ARGUMENT",
          "`decay` must be all or weights, found ", decay);
  options.decaysAll = decay == "all";
  options.labelSmoothing = readFinite(o, "labelSmoothing");
  require(options.labelSmoothing >= 0 && options.labelSmoothing < 1,
          "E_ARGUMENT", "`labelSmoothing` must be from 0 to below 1, found ",
          options.labelSmoothing);
  if (o.Has("precision")) options.precision = readString(o, "precision");
  if (o.Has("gradientClip"))
    options.gradientClip = readFinite(o, "gradientClip");
  require(options.gradientClip >= 0, "E_ARGUMENT",
          "`gradientClip` must be 0 or more, found ", options.gradientClip);
  if (o.Has("average"))
    options.average = readAverage(readObject(field(o, "average"), "average"));
  options.shuffle = readBool(o, "shuffle");
  options.syncsNorm = o.Has("syncBatchNorm") && readBool(o, "syncBatchNorm");
  if (o.Has("penalties"))
    options.penalties = readTensors(field(o, "penalties"), "penalties");
  if (o.Has("rateFactors"))
    options.rateFactors = readTensors(field(o, "rateFactors"), "rateFactors");
  options.augment = readAugment(o);
  options.seed = static_cast<uint64_t>(readInteger(o, "seed", 0, kMostExact));
  return options;
}

EvaluateOptions readEvaluateOptions(const Napi::Object& o) {
  EvaluateOptions options;
  options.batch = readInteger(o, "batch", 1, kMost);
  options.remainder = readRemainder(o);
  const std::string statistics =
      o.Has("statistics") ? readString(o, "statistics") : "running";
  require(statistics == "running" || statistics == "batch", "E_ARGUMENT",
          "`statistics` must be running or batch, found ", statistics);
  options.usesBatchStatistics = statistics == "batch";
  return options;
}

RecalibrateOptions readRecalibrateOptions(const Napi::Object& o) {
  RecalibrateOptions options;
  options.batch = readInteger(o, "batch", 1, kMost);
  options.remainder = readRemainder(o);
  options.leastImages = readLeast(o);
  options.syncsNorm = readBool(o, "syncBatchNorm");
  options.shuffle = readBool(o, "shuffle");
  options.augment = readAugment(o);
  options.seed = static_cast<uint64_t>(readInteger(o, "seed", 0, kMostExact));
  return options;
}

IndicesOptions readIndicesOptions(const Napi::Object& o) {
  IndicesOptions options;
  const Napi::Array methods = readArray(field(o, "methods"), "methods");
  for (uint32_t i = 0; i < methods.Length(); ++i) {
    const std::string method = toText(methods[i], "methods");
    const auto found =
        std::find(std::begin(kMethodNames), std::end(kMethodNames), method);
    require(found != std::end(kMethodNames), "E_ARGUMENT",
            "a method must be exact, rayleigh or lobpcg, found ", method);
    options.methods.push_back(
        static_cast<Method>(found - std::begin(kMethodNames)));
  }
  options.batch = readInteger(o, "batch", 1, kMost);
  options.epochs = readInteger(o, "epochs", 1, kMost);
  options.mostEpochs = readInteger(o, "mostEpochs", 1, kMost);
  options.passes = readInteger(o, "passes", 1, kMost);
  require(options.mostEpochs >= options.epochs, "E_ARGUMENT",
          "`mostEpochs` must be at least `epochs` (", options.epochs,
          "), found ", options.mostEpochs);
  options.tolerance = readFinite(o, "tolerance");
  options.learningRate = readFinite(o, "learningRate");
  options.alpha = readFinite(o, "alpha");
  options.momentum = readFinite(o, "momentum");
  options.rmsEpsilon = readFinite(o, "rmsEpsilon");
  options.decayFactor = readFinite(o, "decayFactor");
  options.decayEvery = readInteger(o, "decayEvery", 1, kMost);
  options.decayFirst = readInteger(o, "decayFirst", 1, kMost);
  const Napi::Array norms = readArray(field(o, "trainedNorms"), "trainedNorms");
  for (uint32_t i = 0; i < norms.Length(); ++i)
    options.trainedNorms.push_back(toText(norms[i], "trainedNorms"));
  options.reluBeta = readFinite(o, "reluBeta");
  options.identityCurvature = readFinite(o, "identityCurvature");
  options.shuffle = readBool(o, "shuffle");
  options.auxiliary = readBool(o, "auxiliary");
  options.seed = static_cast<uint64_t>(readInteger(o, "seed", 0, kMostExact));
  options.memoryLimit = readInteger(o, "memoryLimit", 1, kMostExact);
  options.pause = readPause(o);
  return options;
}

GroupOptions readGroupOptions(const Napi::Object& o) {
  GroupOptions options;
  options.world = static_cast<int>(readInteger(o, "world", 1, 1 << 20));
  options.rank = static_cast<int>(readInteger(o, "rank", 0, options.world - 1));
  options.localRank = static_cast<int>(readInteger(o, "localRank", 0, 1 << 20));
  options.host = readString(o, "host");
  options.port = static_cast<int>(readInteger(o, "port", 1, 65535));
  options.isServer = readBool(o, "isServer");
  options.prefix = readString(o, "prefix");
  options.settings = readString(o, "settings");
  options.bucketBytes = readInteger(o, "bucketBytes", 0, kMost);
  options.timeoutMs = readInteger(o, "timeoutMs", 1, kMost);
  return options;
}

Napi::Value toPause(Napi::Env env, Pause pause) {
  if (pause == Pause::none) return env.Null();
  return Napi::String::New(env, kPauseNames[static_cast<int>(pause)]);
}

}  // namespace splitgrow
