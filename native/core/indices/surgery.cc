// Gather and scale along axes, plus the step along the splitting directions.
#include "indices/surgery.h"

#include <map>
#include <set>

#include "tensor/error.h"

namespace splitgrow {

namespace {

using at::Tensor;

// `factors` along `axis` of t, one for each of its places.
Tensor along(const Tensor& factors, int64_t axis, const Tensor& t,
             const std::string& name) {
  require(t.dim() > axis && factors.numel() == t.size(axis), "E_ARGUMENT",
          "surgery of ", name, ": expected a factor for each place along axis ",
          axis, " of ", t.sizes(), ", found ", factors.numel());
  std::vector<int64_t> shape(t.dim(), 1);
  shape[axis] = factors.numel();
  return factors.to(t.options()).view(shape);
}

Tensor gather(const Tensor& t, int64_t axis, const Tensor& index,
              const std::string& name) {
  if (!index.defined()) return t;
  const Tensor longs = index.to(at::kLong);
  require(t.dim() > axis && (longs.numel() == 0 ||
                             (longs.min().item<int64_t>() >= 0 &&
                              longs.max().item<int64_t>() < t.size(axis))),
          "E_ARGUMENT", "surgery of ", name, " gathers outside axis ", axis);
  return t.index_select(axis, longs.to(t.device()));
}

// What is added to the rows of `t`; undefined: nothing.
Tensor stepOf(const Tensor& t, const TensorSurgery& s,
              const Directions* directions, double epsilon) {
  if (!s.shift.defined() || epsilon == 0) return Tensor();
  const Tensor* v =
      directions == nullptr ? nullptr : directions->find(s.direction);
  require(v != nullptr, "E_DIRECTIONS", "no splitting directions for layer ",
          s.direction);
  require(v->dim() == 2 && v->numel() > 0, "E_DIRECTIONS", s.direction,
          ": directions must be [neurons, dimension]");
  const Tensor rows = gather(*v, 0, s.rows, s.direction);
  require(t.dim() > 0 && rows.size(0) == t.size(0) && rows.numel() == t.numel(),
          "E_DIRECTIONS", s.direction,
          ": directions do not fit the layer's weights");
  const Tensor step = rows.to(t.options()).reshape(t.sizes());
  return step * along(s.shift * epsilon, 0, t, s.name);
}

void writeOne(Network* to, const std::string& name, const Tensor& tensor) {
  to->write({{name, tensor}});
}

}  // namespace

// Each row of a split layer becomes offspring of weights theta + shift *
// epsilon * v; the columns of the layers that read them are multiplied by
// `scales`. If the inputs of a split layer are split too, its weights and its
// step go through the same gather and scale (with `scalesStep` false, as in the
// authors' code, the step goes through the gather alone). Kept momentum is a
// gradient and behaves the other way round: an offspring gets its share of the
// parent's row (`rowShares`), and each column of a reader gets the parent's
// whole column.
std::shared_ptr<Network> rewrite(Network* from, Program program,
                                 const std::vector<TensorSurgery>& surgery,
                                 const Directions* directions, double epsilon,
                                 bool keepsMomentum) {
  const at::NoGradGuard noGrad;
  const std::lock_guard<std::mutex> lock(from->busy);
  auto to =
      std::make_shared<Network>(std::move(program), from->device, from->dtype);
  std::map<std::string, Tensor> old, velocity, grown;
  for (const auto& [name, tensor] : from->weights()) old[name] = tensor;
  if (keepsMomentum)
    for (const auto& [name, tensor] : from->read("momentum"))
      velocity[name] = tensor;
  std::set<std::string> written;
  for (const TensorSurgery& s : surgery) {
    require(old.count(s.name) > 0, "E_ARGUMENT", "surgery names \"", s.name,
            "\", which the network does not have");
    Tensor t = gather(old[s.name], 0, s.rows, s.name);
    const Tensor step = stepOf(t, s, directions, epsilon);
    if (step.defined() && s.scalesStep) t = t + step;
    t = gather(t, 1, s.columns, s.name);
    if (s.scales.defined()) t = t * along(s.scales, 1, t, s.name);
    if (step.defined() && !s.scalesStep)
      t = t + gather(step, 1, s.columns, s.name);
    writeOne(to.get(), s.name, t);
    written.insert(s.name);
    const auto buffer = velocity.find(s.name);
    if (buffer == velocity.end()) continue;
    Tensor m = gather(buffer->second, 0, s.rows, s.name);
    if (s.rowShares.defined()) m = m * along(s.rowShares, 0, m, s.name);
    grown[s.name] = gather(m, 1, s.columns, s.name);
  }
  for (const auto& [name, tensor] : to->weights())
    require(written.count(name) > 0, "E_ARGUMENT", "surgery leaves \"", name,
            "\" out");
  to->write("momentum", {grown.begin(), grown.end()});
  return to;
}

}  // namespace splitgrow
