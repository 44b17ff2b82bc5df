// Batch norm and biases: sums of parts, always added in the same order.
#include <cmath>

#include "engine/context.h"
#include "tensor/error.h"

namespace splitgrow::engine {

void PartSums::resize(int64_t parts_, int64_t channels) {
  parts = parts_;
  values.assign(parts * channels * 2, 0);
  pivots.assign(parts * channels, 0);
  counts.assign(parts, 0);
}

void Context::keepMoments(Map* map, int64_t part, int64_t channel,
                          int64_t count, const float* sums, const float* pivots,
                          int64_t block) const {
  const int64_t at = part * map->channels + channel;
  table.fold(sums, count, maskOf(block), map->moments.values.data() + 2 * at);
  std::copy_n(pivots, count, map->moments.pivots.data() + at);
}

void Context::spread(const float* rows, int64_t size, int64_t block,
                     int64_t from, int64_t count,
                     const std::vector<int32_t>& places, float* to) const {
  constexpr int64_t kMostLanes = 64;
  const float* images[kMostLanes];
  const int64_t n_ = imagesIn(block);
  for (int64_t i = 0; i < n_; ++i)
    images[i] = rows + (block * lanes + i) * size + from;
  table.spread(images, n_, count, places.data() + from, to);
}

void Context::keepDerivatives(Map* map, int64_t part, int64_t channel,
                              int64_t count, const float* sums) const {
  table.fold(
      sums, count, nullptr,
      map->derivatives.values.data() + 2 * (part * map->channels + channel));
}

namespace {

float* parameter(const Context& context, int node, int which) {
  return context.network.nodes[node]
      .parameters[which]
      .mutable_data_ptr<float>();
}
float* gradient(const Context& context, int node, int which) {
  return context.network.nodes[node].gradients[which].mutable_data_ptr<float>();
}

void setReading(const Context& context, Map* map, int64_t c, double mean,
                double inverse) {
  const double scale = parameter(context, map->norm, 0)[c] * inverse;
  map->center[c] = mean;
  map->inverse[c] = inverse;
  map->mean[c] = static_cast<float>(mean);
  map->scale[c] = static_cast<float>(scale);
  // What rounding the mean leaves of it.
  map->shift[c] = static_cast<float>(parameter(context, map->norm, 1)[c] +
                                     (map->mean[c] - mean) * scale);
}

}  // namespace

// The parts' means and squares about them are merged (Chan et al. 1983), so
// that the variance is right for any mean.
void finishMoments(Context* context, Map* map) {
  const Node& node = context->network.nodes[map->norm];
  const PartSums& sums = map->moments;
  double count = 0;
  for (const double each : sums.counts) count += each;
  require(count > 1, "E_ARGUMENT", node.instruction->id,
          ": batch norm in training needs more than one value a channel; ",
          "use a larger batch");
  map->count = count;
  const double momentum =
      context->inputs.statisticsMomentum.value_or(node.attributes().momentum);
  float* const runningMean = parameter(*context, map->norm, 2);
  float* const runningVariance = parameter(*context, map->norm, 3);
  const int64_t channels = map->channels;
  for (int64_t c = 0; c < channels; ++c) {
    const auto at = [&](int64_t part) { return part * channels + c; };
    const double pivot = sums.pivots[c];
    double total = 0;
    for (int64_t p = 0; p < sums.parts; ++p)
      total += sums.values[2 * at(p)] +
               sums.counts[p] * (sums.pivots[at(p)] - pivot);
    const double mean = pivot + total / count;
    double squares = 0;
    for (int64_t p = 0; p < sums.parts; ++p) {
      // About the mean: those about the pivot, moved.
      const double sum = sums.values[2 * at(p)];
      const double away = sums.pivots[at(p)] - mean;
      squares +=
          sums.values[2 * at(p) + 1] + away * (2 * sum + sums.counts[p] * away);
    }
    const double variance = std::max(0.0, squares) / count;
    if (momentum != 0) {
      runningMean[c] =
          static_cast<float>((1 - momentum) * runningMean[c] + momentum * mean);
      runningVariance[c] =
          static_cast<float>((1 - momentum) * runningVariance[c] +
                             momentum * variance * count / (count - 1));
    }
    setReading(*context, map, c, mean,
               1 / std::sqrt(variance + node.attributes().eps));
  }
}

void takeRunning(Context* context, Map* map) {
  const double eps = context->network.nodes[map->norm].attributes().eps;
  for (int64_t c = 0; c < map->channels; ++c) {
    setReading(*context, map, c, parameter(*context, map->norm, 2)[c],
               1 / std::sqrt(parameter(*context, map->norm, 3)[c] + eps));
    map->a[c] = map->scale[c];
  }
}

// dz = scale (g - mean of g - xhat * mean of g xhat)
void finishDerivatives(Context* context, Map* map) {
  const PartSums& sums = map->derivatives;
  const int64_t channels = map->channels;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, dot = 0;
    for (int64_t p = 0; p < sums.parts; ++p) {
      sum += sums.values[2 * (p * channels + c)];
      dot += sums.values[2 * (p * channels + c) + 1];
    }
    if (map->norm < 0) {
      map->center[c] = sum;  // the bias's gradient
      continue;
    }
    const double rest = map->mean[c] - map->center[c];
    const double scaleGradient = (dot + rest * sum) * map->inverse[c];
    gradient(*context, map->norm, 0)[c] = static_cast<float>(scaleGradient);
    gradient(*context, map->norm, 1)[c] = static_cast<float>(sum);
    const double scale = parameter(*context, map->norm, 0)[c] * map->inverse[c];
    const double b = context->usesBatch
                         ? -scale * map->inverse[c] * scaleGradient / map->count
                         : 0;
    map->a[c] = static_cast<float>(scale);
    map->b[c] = static_cast<float>(b);
    map->c[c] = context->usesBatch
                    ? static_cast<float>(b * rest - scale * sum / map->count)
                    : 0;
    // A bias before the norm: the sum of dz, 0 but for rounding.
    map->center[c] = 0;
  }
}

}  // namespace splitgrow::engine
