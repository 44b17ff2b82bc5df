// Splits rows into chunks of a fixed size, so that sums do not depend on the
// number of threads, and calls the loops of kernels.h on each.
#include "tensor/rows.h"

#include <ATen/Parallel.h>

#include <vector>

#include "tensor/accelerator.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

using at::Tensor;

constexpr int64_t kChunkFloats = 32768;
constexpr int64_t kLeastWidth = 64;
// A thread takes at least so much, about 0.1 ms of work. Less would be done
// before another thread has woken up, and waking takes longer beside other
// work.
constexpr int64_t kLeastChunks = 4;

// The loops are not differentiable: the auxiliary path (auxiliary.cc) takes
// ATen's operators.
bool hasLoops(const Tensor& x) {
  if (x.requires_grad() && at::GradMode::is_enabled()) return false;
  if (x.scalar_type() != at::kFloat && x.scalar_type() != at::kBFloat16)
    return false;
  if (!x.device().is_cpu()) return false;
  return x.dim() == 4 ? x.is_contiguous(at::MemoryFormat::ChannelsLast)
                      : x.dim() == 2 && x.is_contiguous();
}

// How [rows, C] floats are cut.
struct Cut {
  explicit Cut(const Tensor& x)
      : channels(x.size(1)),
        count(x.numel()),
        repeat((kLeastWidth + channels - 1) / channels),
        width(repeat * channels),
        chunk(std::max<int64_t>(1, kChunkFloats / width) * width),
        chunks((count + chunk - 1) / chunk) {}
  template <class F>
  void each(const F& run) const {
    at::parallel_for(0, chunks, kLeastChunks, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i * chunk;
        run(i, at, std::min(chunk, count - at));
      }
    });
  }
  Tensor pattern(const Tensor& c) const {
    return c.contiguous().repeat({repeat});
  }
  // Sums [chunks, width] partials over chunks and repeats, in double.
  Tensor fold(const Tensor& partials) const {
    return partials.to(at::kDouble)
        .view({chunks * repeat, channels})
        .sum(0)
        .to(at::kFloat);
  }
  int64_t channels, count, repeat, width, chunk, chunks;
};

const float* floats(const Tensor& t) { return t.const_data_ptr<float>(); }
float* floatsOf(const Tensor& t) { return t.mutable_data_ptr<float>(); }

// Calls `run` with the loops over the elements of x.
template <class F>
void withLoops(const Tensor& x, const F& run) {
  if (x.scalar_type() == at::kBFloat16)
    run(pickKernels().narrow);
  else
    run(pickKernels().wide);
}
template <class Loops>
using ElementOf = typename std::decay_t<Loops>::Element;
template <class T>
const T* dataOf(const Tensor& t) {
  return static_cast<const T*>(t.const_data_ptr());
}
template <class T>
T* mutableOf(const Tensor& t) {
  return static_cast<T*>(t.mutable_data_ptr());
}

// `g` in the layout and dtype of x.
Tensor beside(const Tensor& x, const Tensor& g) {
  return inLayout(g.to(x.scalar_type()));
}
// x for ATen's operators: bfloat16 as float32.
Tensor widened(const Tensor& x) {
  return x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
}

std::vector<int64_t> allButChannels(const Tensor& x) {
  return x.dim() == 4 ? std::vector<int64_t>{0, 2, 3} : std::vector<int64_t>{0};
}

}  // namespace

Tensor inLayout(const Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast)
                      : x.contiguous();
}

Tensor perChannel(const Tensor& c, const Tensor& x) {
  return x.dim() == 4 ? c.view({1, -1, 1, 1}) : c.view({1, -1});
}

Tensor affineAct(const Activation& act, const Tensor& x, const Tensor& scale,
                 const Tensor& shift) {
  if (const Accelerator* fast = acceleratorFor(x))
    return fast->affineAct(act.loop, x, scale, shift);
  if (!hasLoops(x))
    return act.value(widened(x) * perChannel(scale, x) + perChannel(shift, x))
        .to(x.scalar_type());
  const Cut cut(x);
  const Tensor a = cut.pattern(scale), b = cut.pattern(shift);
  const Tensor y = at::empty_like(x);
  withLoops(x, [&](const auto& loops) {
    using T = ElementOf<decltype(loops)>;
    cut.each([&](int64_t, int64_t at, int64_t n) {
      loops.affineAct(act.loop, dataOf<T>(x) + at, n, cut.width, floats(a),
                      floats(b), mutableOf<T>(y) + at);
    });
  });
  return y;
}

Tensor actOnly(const Activation& act, const Tensor& x) {
  if (act.isLinear) return x;
  if (const Accelerator* fast = acceleratorFor(x))
    return fast->actOnly(act.loop, x);
  if (!hasLoops(x)) return act.value(widened(x)).to(x.scalar_type());
  return affineAct(act, x, at::ones({x.size(1)}), at::zeros({x.size(1)}));
}

Moments moments(const Tensor& x) {
  const int64_t rows = x.numel() / x.size(1);
  if (const Accelerator* fast = acceleratorFor(x)) return fast->moments(x);
  if (!hasLoops(x)) {
    const auto axes = allButChannels(x);
    const Tensor wide = widened(x);
    const Tensor mean = wide.mean(axes);
    return {mean, (wide - perChannel(mean, x)).pow(2).mean(axes)};
  }
  const Cut cut(x);
  // A pivot near the mean keeps the difference of squares exact.
  const Tensor head =
      at::from_blob(const_cast<void*>(x.const_data_ptr()),
                    {std::min<int64_t>(rows, 64), x.size(1)}, x.options());
  const Tensor pivot = widened(head).mean(0);
  const Tensor k = cut.pattern(pivot);
  const Tensor sum = at::zeros({cut.chunks, cut.width});
  const Tensor square = at::zeros({cut.chunks, cut.width});
  withLoops(x, [&](const auto& loops) {
    using T = ElementOf<decltype(loops)>;
    cut.each([&](int64_t i, int64_t at, int64_t n) {
      loops.moments(dataOf<T>(x) + at, n, cut.width, floats(k),
                    floatsOf(sum) + i * cut.width,
                    floatsOf(square) + i * cut.width);
    });
  });
  const auto total = [&](const Tensor& t) {
    return t.to(at::kDouble).view({-1, cut.channels}).sum(0) / rows;
  };
  const Tensor offset = total(sum);
  return {(pivot.to(at::kDouble) + offset).to(at::kFloat),
          (total(square) - offset * offset).clamp_min(0).to(at::kFloat)};
}

ActGrad actGrad(const Activation& act, const Tensor& x, const Tensor& g,
                const Tensor& scale, const Tensor& shift, const Tensor& mean) {
  if (const Accelerator* fast = acceleratorFor(x))
    return fast->actGrad(act.loop, x, g, scale, shift, mean);
  if (!hasLoops(x)) {
    const Tensor wide = widened(x);
    const Tensor dz =
        g * act.first(wide * perChannel(scale, x) + perChannel(shift, x));
    const auto axes = allButChannels(x);
    return {dz.to(x.scalar_type()), dz.sum(axes),
            (dz * (wide - perChannel(mean, x))).sum(axes)};
  }
  const Cut cut(x);
  const Tensor grad = beside(x, g);
  const Tensor a = cut.pattern(scale), b = cut.pattern(shift),
               m = cut.pattern(mean);
  const Tensor dz = at::empty_like(x);
  const Tensor sum = at::zeros({cut.chunks, cut.width});
  const Tensor dot = at::zeros({cut.chunks, cut.width});
  withLoops(x, [&](const auto& loops) {
    using T = ElementOf<decltype(loops)>;
    cut.each([&](int64_t i, int64_t at, int64_t n) {
      loops.actGrad(act.loop, dataOf<T>(x) + at, dataOf<T>(grad) + at, n,
                    cut.width, floats(a), floats(b), floats(m),
                    mutableOf<T>(dz) + at, floatsOf(sum) + i * cut.width,
                    floatsOf(dot) + i * cut.width);
    });
  });
  return {dz, cut.fold(sum), cut.fold(dot)};
}

Tensor actOnlyGrad(const Activation& act, const Tensor& z, const Tensor& g) {
  if (act.isLinear) return g;
  if (const Accelerator* fast = acceleratorFor(z))
    return fast->actOnlyGrad(act.loop, z, g);
  if (!hasLoops(z)) return (g * act.first(widened(z))).to(z.scalar_type());
  const Tensor zeros = at::zeros({z.size(1)});
  return actGrad(act, z, g, at::ones({z.size(1)}), zeros, zeros).dz;
}

Tensor combine(const Tensor& x, const Tensor& dz, const Tensor& a,
               const Tensor& b, const Tensor& c) {
  if (const Accelerator* fast = acceleratorFor(x))
    return fast->combine(x, dz, a, b, c);
  if (!hasLoops(x))
    return (dz * perChannel(a, x) + x * perChannel(b, x) + perChannel(c, x))
        .to(x.scalar_type());
  const Cut cut(x);
  const Tensor pa = cut.pattern(a), pb = cut.pattern(b), pc = cut.pattern(c);
  const Tensor dx = at::empty_like(x);
  const Tensor grad = beside(x, dz);
  withLoops(x, [&](const auto& loops) {
    using T = ElementOf<decltype(loops)>;
    cut.each([&](int64_t, int64_t at, int64_t n) {
      loops.combine(dataOf<T>(x) + at, dataOf<T>(grad) + at, n, cut.width,
                    floats(pa), floats(pb), floats(pc), mutableOf<T>(dx) + at);
    });
  });
  return dx;
}

Curvature curvature(const Activation& act, const Tensor& z, const Tensor& g,
                    const Tensor& u, const Tensor& square, double beta,
                    bool wantGz) {
  if (const Accelerator* fast = acceleratorFor(z))
    return fast->curvature(act.loop, z, g, u, square, beta, wantGz);
  if (!hasLoops(z)) {
    const Tensor wide = widened(z);
    Tensor p = g * act.second(wide, beta) * perChannel(square, z);
    if (u.defined()) p = p * u;
    return {wantGz ? (g * act.first(wide)).to(z.scalar_type()) : Tensor(),
            p.to(z.scalar_type())};
  }
  const Cut cut(z);
  const Tensor grad = beside(z, g);
  const Tensor other = u.defined() ? beside(z, u) : Tensor();
  const Tensor s = cut.pattern(square);
  const Tensor gz = wantGz ? at::empty_like(z) : Tensor();
  const Tensor p = at::empty_like(z);
  withLoops(z, [&](const auto& loops) {
    using T = ElementOf<decltype(loops)>;
    const auto from = [](const Tensor& t, int64_t at) {
      return t.defined() ? dataOf<T>(t) + at : nullptr;
    };
    cut.each([&](int64_t, int64_t at, int64_t n) {
      loops.curvature(act.loop, from(z, at), from(grad, at), from(other, at), n,
                      cut.width, floats(s), static_cast<float>(beta),
                      gz.defined() ? mutableOf<T>(gz) + at : nullptr,
                      mutableOf<T>(p) + at);
    });
  });
  return {gz, p};
}

}  // namespace splitgrow
