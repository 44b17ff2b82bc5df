// From tensors to kernels. The kernels trust what is checked here: type, layout
// and sizes. All tensors are held until the kernels are launched; after that
// the caching allocator keeps the order of the stream.
#include "rows.h"

#include <algorithm>

namespace splitgrow::gpu {

namespace {

using at::Tensor;

void run(const char* error) {
  TORCH_CHECK(error == nullptr, "a kernel could not be launched: ", error);
}

Type typeOf(const Tensor& x) {
  TORCH_CHECK(x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16,
              "expected float32 or bfloat16, found ", x.scalar_type());
  return x.scalar_type() == at::kFloat ? Type::kFloat32 : Type::kBFloat16;
}

Extent extentOf(const Tensor& x) {
  return {x.numel() / x.size(1), static_cast<int32_t>(x.size(1))};
}

Tensor inLayout(const Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast)
                      : x.contiguous();
}
// `other` as x: its type, channels innermost.
Tensor alike(const Tensor& other, const Tensor& x) {
  TORCH_CHECK(other.sizes() == x.sizes(), "expected ", x.sizes(), ", found ",
              other.sizes());
  return inLayout(other.to(x.options()));
}
const float* floats(const Tensor& t) {
  return t.defined() ? t.const_data_ptr<float>() : nullptr;
}
float* floatsOf(const Tensor& t) { return t.mutable_data_ptr<float>(); }

// [C] float32 in one piece.
Tensor channels(const Tensor& c, const Tensor& x) {
  TORCH_CHECK(c.numel() == x.size(1), "expected ", x.size(1),
              " numbers, found ", c.numel());
  return c.to(x.options().dtype(at::kFloat)).contiguous();
}
Tensor channelsLike(const Tensor& x) {
  return at::empty({x.size(1)}, x.options().dtype(at::kFloat));
}
// As many as any grid over x may write: sumGrid gives a thread 16 rows, and a
// block at least kThreads / kWidest of them at a time.
Tensor partialsOf(const Tensor& x) {
  constexpr int64_t least = 16 * kThreads / kWidest;
  const int64_t rows = x.numel() / x.size(1);
  const int64_t blocks =
      std::clamp<int64_t>((rows + least - 1) / least, 1, kMostSums);
  return at::empty({2, blocks, x.size(1)}, x.options().dtype(at::kFloat));
}

Tensor runAffineAct(Act act, const Tensor& x, const Tensor& scale,
                    const Tensor& shift) {
  const Place place(x);
  const Tensor a = scale.defined() ? channels(scale, x) : Tensor();
  const Tensor b = shift.defined() ? channels(shift, x) : Tensor();
  const Tensor y = at::empty_like(x);
  run(affineAct({extentOf(x), act, x.const_data_ptr(), floats(a), floats(b),
                 y.mutable_data_ptr()},
                typeOf(x), place.stream));
  return y;
}
Tensor runActOnly(Act act, const Tensor& x) {
  return runAffineAct(act, x, Tensor(), Tensor());
}

Moments runMoments(const Tensor& x) {
  const Place place(x);
  const Moments m{channelsLike(x), channelsLike(x)};
  const Tensor partials = partialsOf(x);
  MomentResult to{};
  to.mean = floatsOf(m.mean);
  to.variance = floatsOf(m.variance);
  run(moments({extentOf(x), x.const_data_ptr(), floatsOf(partials)}, to,
              typeOf(x), place.stream));
  return m;
}

splitgrow::ActGrad runActGrad(Act act, const Tensor& x, const Tensor& g,
                              const Tensor& scale, const Tensor& shift,
                              const Tensor& mean) {
  const Place place(x);
  const Tensor grad = alike(g, x), a = channels(scale, x),
               b = channels(shift, x), m = channels(mean, x);
  const splitgrow::ActGrad d{at::empty_like(x), channelsLike(x),
                             channelsLike(x)};
  const Tensor partials = partialsOf(x);
  GradResult to{};
  to.sum = floatsOf(d.sum);
  to.dot = floatsOf(d.dot);
  run(gradSums(
      {extentOf(x), act, x.const_data_ptr(), grad.const_data_ptr(), floats(a),
       floats(b), floats(m), d.dz.mutable_data_ptr(), floatsOf(partials)},
      to, typeOf(x), place.stream));
  return d;
}

Tensor runActOnlyGrad(Act act, const Tensor& z, const Tensor& g) {
  const Place place(z);
  const Tensor grad = alike(g, z), out = at::empty_like(z);
  gpu::ActGrad args{};
  args.extent = extentOf(z);
  args.act = act;
  args.x = z.const_data_ptr();
  args.g = grad.const_data_ptr();
  args.out = out.mutable_data_ptr();
  run(actGrad(args, typeOf(z), place.stream));
  return out;
}

Tensor runCombine(const Tensor& x, const Tensor& dz, const Tensor& a,
                  const Tensor& b, const Tensor& c) {
  const Place place(x);
  const Tensor d = alike(dz, x), pa = channels(a, x), pb = channels(b, x),
               pc = channels(c, x), out = at::empty_like(x);
  run(combine({extentOf(x), x.const_data_ptr(), d.const_data_ptr(), floats(pa),
               floats(pb), floats(pc), out.mutable_data_ptr()},
              typeOf(x), place.stream));
  return out;
}

Curvature runCurvature(Act act, const Tensor& z, const Tensor& g,
                       const Tensor& u, const Tensor& square, double beta,
                       bool wantGz) {
  const Place place(z);
  const Tensor grad = alike(g, z), s = channels(square, z);
  const Tensor other = u.defined() ? alike(u, z) : Tensor();
  const Tensor gz = wantGz ? at::empty_like(z) : Tensor();
  const Tensor p = at::empty_like(z);
  run(curve({extentOf(z), act, z.const_data_ptr(), grad.const_data_ptr(),
             other.defined() ? other.const_data_ptr() : nullptr, floats(s),
             static_cast<float>(beta), wantGz ? gz.mutable_data_ptr() : nullptr,
             p.mutable_data_ptr()},
            typeOf(z), place.stream));
  return {gz, p};
}

NormState runNorm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                  const Tensor& runningMean, const Tensor& runningVariance,
                  double eps, double momentum) {
  const Place place(x);
  for (const Tensor& each : {gamma, beta, runningMean, runningVariance})
    TORCH_CHECK(each.scalar_type() == at::kFloat && each.is_contiguous() &&
                    each.numel() == x.size(1) && each.device() == x.device(),
                "expected ", x.size(1), " float32 numbers a parameter");
  const NormState s{channelsLike(x), channelsLike(x), channelsLike(x),
                    channelsLike(x)};
  const Tensor partials = partialsOf(x);
  MomentResult to{};
  to.mean = floatsOf(s.mean);
  to.scale = floatsOf(s.scale);
  to.shift = floatsOf(s.shift);
  to.inverse = floatsOf(s.inverse);
  to.gamma = floats(gamma);
  to.beta = floats(beta);
  to.eps = static_cast<float>(eps);
  to.momentum = static_cast<float>(momentum);
  if (momentum != 0) {
    to.runningMean = floatsOf(runningMean);
    to.runningVariance = floatsOf(runningVariance);
  }
  run(moments({extentOf(x), x.const_data_ptr(), floatsOf(partials)}, to,
              typeOf(x), place.stream));
  return s;
}

Tensor runNormGrad(Act act, const Tensor& x, const Tensor& g,
                   const NormState& s, const Tensor& gradGamma,
                   const Tensor& gradBeta, bool wantInput) {
  const Place place(x);
  for (const Tensor& each : {gradGamma, gradBeta})
    TORCH_CHECK(each.scalar_type() == at::kFloat && each.is_contiguous() &&
                    each.numel() == x.size(1) && each.device() == x.device(),
                "expected ", x.size(1), " float32 gradients");
  const Tensor grad = alike(g, x), partials = partialsOf(x);
  const Tensor a = channelsLike(x), b = channelsLike(x), c = channelsLike(x);
  GradResult to{};
  to.gradGamma = floatsOf(gradGamma);
  to.gradBeta = floatsOf(gradBeta);
  to.scale = floats(s.scale);
  to.mean = floats(s.mean);
  to.inverse = floats(s.inverse);
  if (wantInput) {
    to.a = floatsOf(a);
    to.b = floatsOf(b);
    to.c = floatsOf(c);
  }
  const Extent extent = extentOf(x);
  run(gradSums(
      {extent, act, x.const_data_ptr(), grad.const_data_ptr(), floats(s.scale),
       floats(s.shift), floats(s.mean), nullptr, floatsOf(partials)},
      to, typeOf(x), place.stream));
  if (!wantInput) return Tensor();
  const Tensor dx = at::empty_like(x);
  run(actGrad(
      {extent, act, x.const_data_ptr(), grad.const_data_ptr(), floats(s.scale),
       floats(s.shift), floats(a), floats(b), floats(c), dx.mutable_data_ptr()},
      typeOf(x), place.stream));
  return dx;
}

void runRayleighStep(const Tensor& v, const Tensor& sv, const Tensor& square,
                     const Tensor& velocity, const Tensor& quotients,
                     const RmsProp& o) {
  const Place place(v);
  for (const Tensor& each : {v, sv, square, velocity})
    TORCH_CHECK(each.dim() == 2 && each.scalar_type() == at::kFloat &&
                    each.is_contiguous() && each.sizes() == v.sizes() &&
                    each.device() == v.device(),
                "expected float32 ", v.sizes(), ", found ", each.scalar_type(),
                " ", each.sizes());
  TORCH_CHECK(quotients.scalar_type() == at::kDouble &&
                  quotients.is_contiguous() && quotients.numel() == v.size(0) &&
                  quotients.device() == v.device(),
              "expected ", v.size(0), " float64 quotients");
  run(rayleigh(
      {static_cast<int32_t>(v.size(0)), static_cast<int32_t>(v.size(1)),
       floatsOf(v), floats(sv), floatsOf(square), floatsOf(velocity),
       quotients.mutable_data_ptr<double>(), static_cast<float>(o.rate),
       static_cast<float>(o.alpha), static_cast<float>(o.momentum),
       static_cast<float>(o.epsilon)},
      place.stream));
}

Tensor runPixels(const Tensor& images, const Crops& crops, const Tensor& scale,
                 const Tensor& shift, at::ScalarType type) {
  const Place place(images);
  TORCH_CHECK(images.dim() == 4 && images.scalar_type() == at::kByte &&
                  images.is_contiguous(),
              "expected uint8 [N, C, H, W], found ", images.scalar_type(), " ",
              images.sizes());
  const int64_t count = crops.index.numel();
  for (const Tensor& each : {crops.index, crops.flips, crops.tops, crops.lefts})
    TORCH_CHECK(each.scalar_type() == at::kLong && each.is_contiguous() &&
                    each.numel() == count && each.device() == images.device(),
                "expected ", count, " int64 numbers");
  const Tensor a = channels(scale, images), b = channels(shift, images);
  const Tensor out =
      at::empty({count, images.size(1), images.size(2), images.size(3)},
                images.options().dtype(type), at::MemoryFormat::ChannelsLast);
  run(pixels(
      {count, static_cast<int32_t>(images.size(1)),
       static_cast<int32_t>(images.size(2)),
       static_cast<int32_t>(images.size(3)), images.const_data_ptr<uint8_t>(),
       crops.index.const_data_ptr<int64_t>(),
       crops.flips.const_data_ptr<int64_t>(),
       crops.tops.const_data_ptr<int64_t>(),
       crops.lefts.const_data_ptr<int64_t>(), floats(a), floats(b),
       out.mutable_data_ptr()},
      typeOf(out), place.stream));
  return out;
}

}  // namespace

void addRows(Accelerator* table) {
  table->affineAct = runAffineAct;
  table->actOnly = runActOnly;
  table->moments = runMoments;
  table->actGrad = runActGrad;
  table->actOnlyGrad = runActOnlyGrad;
  table->combine = runCombine;
  table->curvature = runCurvature;
  table->norm = runNorm;
  table->normGrad = runNormGrad;
  table->rayleighStep = runRayleighStep;
  table->pixels = runPixels;
}

}  // namespace splitgrow::gpu
