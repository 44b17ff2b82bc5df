// Elementwise work of one thread.
#pragma once

#include "../kernels.h"

namespace splitgrow::gpu {

// Widest vector of 16 bytes or less that channels and addresses allow.
template <class T>
int vectorOf(const Extent& extent, std::initializer_list<const void*> data) {
  const auto fits = [&](int vector) {
    if (extent.channels % vector != 0) return false;
    for (const void* each : data)
      if (reinterpret_cast<uintptr_t>(each) % (sizeof(T) * vector) != 0)
        return false;
    return true;
  };
  constexpr int widest = 16 / sizeof(T);
  return fits(widest) ? widest : fits(2) ? 2 : 1;
}

template <class T, int V>
SPLITGROW_BOTH void run(const AffineAct& o, const Lane& lane) {
  if (!lane.isInside) return;
  float scale[V], shift[V];
  loadChannels<V>(o.scale, lane.channel, 1.0f, scale);
  loadChannels<V>(o.shift, lane.channel, 0.0f, shift);
  for (int64_t r = lane.row; r < o.extent.rows; r += lane.rowStep) {
    const int64_t at = r * o.extent.channels + lane.channel;
    float x[V];
    load<T, V>(o.x, at, x);
    withAct(o.act, [&](auto act) {
      for (int k = 0; k < V; ++k) x[k] = act.value(scale[k] * x[k] + shift[k]);
    });
    store<T, V>(x, o.y, at);
  }
}

template <class T, int V>
SPLITGROW_BOTH void run(const ActGrad& o, const Lane& lane) {
  if (!lane.isInside) return;
  float scale[V], shift[V], a[V], b[V], c[V];
  loadChannels<V>(o.scale, lane.channel, 1.0f, scale);
  loadChannels<V>(o.shift, lane.channel, 0.0f, shift);
  loadChannels<V>(o.a, lane.channel, 1.0f, a);
  loadChannels<V>(o.b, lane.channel, 0.0f, b);
  loadChannels<V>(o.c, lane.channel, 0.0f, c);
  for (int64_t r = lane.row; r < o.extent.rows; r += lane.rowStep) {
    const int64_t at = r * o.extent.channels + lane.channel;
    float x[V], g[V];
    load<T, V>(o.x, at, x);
    load<T, V>(o.g, at, g);
    withAct(o.act, [&](auto act) {
      for (int k = 0; k < V; ++k) g[k] *= act.first(scale[k] * x[k] + shift[k]);
    });
    if (o.a != nullptr)
      for (int k = 0; k < V; ++k) g[k] = a[k] * g[k] + (b[k] * x[k] + c[k]);
    store<T, V>(g, o.out, at);
  }
}

template <class T, int V>
SPLITGROW_BOTH void run(const Combine& o, const Lane& lane) {
  if (!lane.isInside) return;
  float a[V], b[V], c[V];
  loadChannels<V>(o.a, lane.channel, 1.0f, a);
  loadChannels<V>(o.b, lane.channel, 0.0f, b);
  loadChannels<V>(o.c, lane.channel, 0.0f, c);
  for (int64_t r = lane.row; r < o.extent.rows; r += lane.rowStep) {
    const int64_t at = r * o.extent.channels + lane.channel;
    float x[V], dz[V];
    load<T, V>(o.x, at, x);
    load<T, V>(o.dz, at, dz);
    for (int k = 0; k < V; ++k) x[k] = a[k] * dz[k] + (b[k] * x[k] + c[k]);
    store<T, V>(x, o.out, at);
  }
}

template <class T, int V>
SPLITGROW_BOTH void run(const Curve& o, const Lane& lane) {
  if (!lane.isInside) return;
  float square[V];
  loadChannels<V>(o.square, lane.channel, 1.0f, square);
  for (int64_t r = lane.row; r < o.extent.rows; r += lane.rowStep) {
    const int64_t at = r * o.extent.channels + lane.channel;
    float z[V], g[V], u[V], p[V] = {};
    load<T, V>(o.z, at, z);
    load<T, V>(o.g, at, g);
    for (int k = 0; k < V; ++k) u[k] = 1.0f;
    if (o.u != nullptr) load<T, V>(o.u, at, u);
    withAct(o.act, [&](auto act) {
      for (int k = 0; k < V; ++k) {
        p[k] = g[k] * act.second(z[k], o.beta) * square[k] * u[k];
        g[k] *= act.first(z[k]);
      }
    });
    if (o.gz != nullptr) store<T, V>(g, o.gz, at);
    store<T, V>(p, o.p, at);
  }
}

// One picture's point, all its channels. `point` counts count * height * width.
template <class T>
SPLITGROW_BOTH void run(const Pixels& o, int64_t point) {
  const int64_t area = static_cast<int64_t>(o.height) * o.width;
  const int64_t i = point / area;
  const int32_t y = static_cast<int32_t>(point % area / o.width);
  const int32_t x = static_cast<int32_t>(point % o.width);
  const int64_t sy = y + o.tops[i];
  const int64_t sx = (o.flips[i] != 0 ? o.width - 1 - x : x) + o.lefts[i];
  const bool isIn = sy >= 0 && sy < o.height && sx >= 0 && sx < o.width;
  const uint8_t* from = o.images + o.index[i] * o.channels * area;
  T* to = static_cast<T*>(o.out) + point * o.channels;
  for (int32_t c = 0; c < o.channels; ++c) {
    const float value =
        isIn ? static_cast<float>(from[c * area + sy * o.width + sx]) : 0.0f;
    to[c] = fromFloat<T>(value * o.scale[c] + o.shift[c]);
  }
}

}  // namespace splitgrow::gpu
