// Sums of one thread, and what is made of the sums of a channel.
#pragma once

#include "elements.h"

namespace splitgrow::gpu {

template <int V>
struct Pair {
  float first[V], second[V];
};

// A value near the mean of each channel, so that the difference of squares
// stays exact: the mean of the first rows.
constexpr int kPivotRows = 8;
template <class T, int V>
SPLITGROW_BOTH void pivotOf(const void* x, const Extent& extent,
                            int32_t channel, float (&pivot)[V]) {
  const int64_t rows = extent.rows < kPivotRows ? extent.rows : kPivotRows;
  for (int k = 0; k < V; ++k) pivot[k] = 0.0f;
  for (int64_t r = 0; r < rows; ++r) {
    float value[V];
    load<T, V>(x, r * extent.channels + channel, value);
    for (int k = 0; k < V; ++k) pivot[k] += value[k];
  }
  for (int k = 0; k < V; ++k) pivot[k] /= static_cast<float>(rows);
}

template <class T, int V>
SPLITGROW_BOTH Pair<V> sumsOf(const MomentSums& o, const Lane& lane) {
  Pair<V> sums;
  for (int k = 0; k < V; ++k) sums.first[k] = sums.second[k] = 0.0f;
  if (!lane.isInside) return sums;
  float pivot[V];
  pivotOf<T, V>(o.x, o.extent, lane.channel, pivot);
  for (int64_t r = lane.row; r < o.extent.rows; r += lane.rowStep) {
    float x[V];
    load<T, V>(o.x, r * o.extent.channels + lane.channel, x);
    for (int k = 0; k < V; ++k) {
      const float d = x[k] - pivot[k];
      sums.first[k] += d;
      sums.second[k] += d * d;
    }
  }
  return sums;
}

template <class T, int V>
SPLITGROW_BOTH Pair<V> sumsOf(const GradSums& o, const Lane& lane) {
  Pair<V> sums;
  for (int k = 0; k < V; ++k) sums.first[k] = sums.second[k] = 0.0f;
  if (!lane.isInside) return sums;
  float scale[V], shift[V], mean[V];
  loadChannels<V>(o.scale, lane.channel, 1.0f, scale);
  loadChannels<V>(o.shift, lane.channel, 0.0f, shift);
  loadChannels<V>(o.mean, lane.channel, 0.0f, mean);
  for (int64_t r = lane.row; r < o.extent.rows; r += lane.rowStep) {
    const int64_t at = r * o.extent.channels + lane.channel;
    float x[V], g[V];
    load<T, V>(o.x, at, x);
    load<T, V>(o.g, at, g);
    withAct(o.act, [&](auto act) {
      for (int k = 0; k < V; ++k) g[k] *= act.first(scale[k] * x[k] + shift[k]);
    });
    for (int k = 0; k < V; ++k) {
      sums.first[k] += g[k];
      sums.second[k] += g[k] * (x[k] - mean[k]);
    }
    if (o.dz != nullptr) store<T, V>(g, o.dz, at);
  }
  return sums;
}

// Threads of the finishing stage share a channel's partials.
constexpr int kFinishLanes = 32;
constexpr int kFinishThreads = 32;  // along the partials

struct Doubles {
  double first, second;
};
SPLITGROW_BOTH Doubles partialsOf(const float* partials, int blocks,
                                  int32_t channels, int32_t channel,
                                  int thread) {
  Doubles sums = {0, 0};
  const int64_t half = static_cast<int64_t>(blocks) * channels;
  for (int b = thread; b < blocks; b += kFinishThreads) {
    const int64_t at = static_cast<int64_t>(b) * channels + channel;
    sums.first += partials[at];
    sums.second += partials[half + at];
  }
  return sums;
}

template <class T>
SPLITGROW_BOTH void finish(const MomentSums& o, const MomentResult& to,
                           int32_t c, const Doubles& sums) {
  float pivot[1];
  pivotOf<T, 1>(o.x, o.extent, c, pivot);
  const double count = static_cast<double>(o.extent.rows);
  const double offset = sums.first / count;
  const double spread = sums.second / count - offset * offset;
  const float mean = static_cast<float>(pivot[0] + offset);
  const float variance = static_cast<float>(spread > 0 ? spread : 0);
  to.mean[c] = mean;
  if (to.variance != nullptr) to.variance[c] = variance;
  if (to.scale == nullptr) return;
  const float inverse = 1.0f / sqrtf(variance + to.eps);
  const float scale = to.gamma[c] * inverse;
  to.inverse[c] = inverse;
  to.scale[c] = scale;
  to.shift[c] = to.beta[c] - mean * scale;
  if (to.runningMean == nullptr) return;
  const float keep = 1.0f - to.momentum;
  const float unbiased =
      static_cast<float>(count > 1 ? count / (count - 1) : 1) * to.momentum;
  to.runningMean[c] = to.runningMean[c] * keep + mean * to.momentum;
  to.runningVariance[c] = to.runningVariance[c] * keep + variance * unbiased;
}

// dx = scale * (dz - mean(dz) - xhat * mean(dz * xhat))
template <class T>
SPLITGROW_BOTH void finish(const GradSums& o, const GradResult& to, int32_t c,
                           const Doubles& sums) {
  if (to.sum != nullptr) to.sum[c] = static_cast<float>(sums.first);
  if (to.dot != nullptr) to.dot[c] = static_cast<float>(sums.second);
  if (to.inverse == nullptr) return;
  const double inverse = to.inverse[c];
  to.gradGamma[c] = static_cast<float>(sums.second * inverse);
  to.gradBeta[c] = static_cast<float>(sums.first);
  if (to.a == nullptr) return;
  const double count = static_cast<double>(o.extent.rows);
  const double scale = to.scale[c];
  const double b = -scale * inverse * inverse * sums.second / count;
  to.a[c] = to.scale[c];
  to.b[c] = static_cast<float>(b);
  to.c[c] = static_cast<float>(-(scale * sums.first / count + b * to.mean[c]));
}

// --- the Rayleigh step: a block a neuron ---

constexpr int kRowThreads = 128;

SPLITGROW_BOTH double quotientPart(const RayleighStep& o, int32_t neuron,
                                   int thread) {
  const int64_t at = static_cast<int64_t>(neuron) * o.dimension;
  double dot = 0;
  for (int32_t j = thread; j < o.dimension; j += kRowThreads)
    dot += static_cast<double>(o.v[at + j]) * o.sv[at + j];
  return dot;
}
// Takes the step; returns this thread's part of |v|^2 after it.
SPLITGROW_BOTH double stepPart(const RayleighStep& o, int32_t neuron,
                               int thread, double quotient) {
  const int64_t row = static_cast<int64_t>(neuron) * o.dimension;
  const float lambda = static_cast<float>(quotient);
  double norm = 0;
  for (int32_t j = thread; j < o.dimension; j += kRowThreads) {
    const int64_t at = row + j;
    const float g = 2.0f * (o.sv[at] - lambda * o.v[at]);
    const float square = o.alpha * o.square[at] + (1.0f - o.alpha) * g * g;
    const float velocity =
        o.momentum * o.velocity[at] + g / (sqrtf(square) + o.epsilon);
    const float v = o.v[at] - o.rate * velocity;
    o.square[at] = square;
    o.velocity[at] = velocity;
    o.v[at] = v;
    norm += static_cast<double>(v) * v;
  }
  return norm;
}
SPLITGROW_BOTH void unitPart(const RayleighStep& o, int32_t neuron, int thread,
                             double norm) {
  const int64_t row = static_cast<int64_t>(neuron) * o.dimension;
  const float inverse = static_cast<float>(1.0 / sqrt(norm));
  for (int32_t j = thread; j < o.dimension; j += kRowThreads)
    o.v[row + j] *= inverse;
}

}  // namespace splitgrow::gpu
