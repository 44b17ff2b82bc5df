// Splitting indices by stochastic gradient on the Rayleigh quotient
// R(v) = v . S v / v . v (arXiv 1910.03103, the fast method): one product S v
// for all neurons a minibatch, then one step of RMSprop, after which v is made
// unit again. The products come from the minibatch's S, so memory is O(n d).
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "indices/indices.h"
#include "tensor/accelerator.h"
#include "tensor/threads.h"

namespace splitgrow {

namespace {

using at::Tensor;

// A thread takes at least so much, about 0.1 ms of work.
constexpr int64_t kLeastFloats = 131072;

Tensor rowNorm(const Tensor& t) { return t.norm(2, {1}, true); }

// A step of RMSprop; quotients, float64 [n], get v . sv before it.

// By ATen, for devices and dtypes without loops.
void stepByTensors(const Tensor& v, const Tensor& sv, const Tensor& square,
                   const Tensor& velocity, const IndicesOptions& o, double rate,
                   const Tensor& quotients) {
  const Tensor dot = (v * sv).sum(1, true);
  const Tensor gradient = 2 * (sv - dot * v);
  square.mul_(o.alpha).addcmul_(gradient, gradient, 1 - o.alpha);
  velocity.mul_(o.momentum).addcdiv_(gradient, at::sqrt(square) + o.rmsEpsilon);
  v.sub_(velocity, rate);
  v.div_(rowNorm(v));
  quotients.copy_(dot.squeeze(1));
}

void stepByLoops(const Tensor& v, const Tensor& sv, const Tensor& square,
                 const Tensor& velocity, const IndicesOptions& o, double rate,
                 const Tensor& quotients) {
  const int64_t n = v.size(0), d = v.size(1);
  double* const q = quotients.mutable_data_ptr<double>();
  at::parallel_for(
      0, n, std::max<int64_t>(1, kLeastFloats / d),
      [&](int64_t begin, int64_t end) {
        const int64_t at = begin * d;
        pickKernels().rayleigh(
            v.mutable_data_ptr<float>() + at, sv.const_data_ptr<float>() + at,
            square.mutable_data_ptr<float>() + at,
            velocity.mutable_data_ptr<float>() + at, end - begin, d,
            static_cast<float>(rate), static_cast<float>(o.alpha),
            static_cast<float>(o.momentum), static_cast<float>(o.rmsEpsilon),
            q + begin);
      });
}

void stepBy(const Tensor& v, const Tensor& sv, const Tensor& square,
            const Tensor& velocity, const IndicesOptions& o, double rate,
            const Tensor& quotients) {
  if (const Accelerator* const fast = acceleratorFor(v);
      fast != nullptr && v.scalar_type() == at::kFloat)
    return fast->rayleighStep(v, sv, square, velocity, quotients,
                              {rate, o.alpha, o.momentum, o.rmsEpsilon});
  const bool hasLoops = v.is_cpu() && v.scalar_type() == at::kFloat;
  (hasLoops ? stepByLoops : stepByTensors)(v, sv, square, velocity, o, rate,
                                           quotients);
}

// The rows of `found` and `unit` that are better than those of `to` and `rows`.
void take(const ChainIndices& found, const Tensor& unit, double tolerance,
          ChainIndices* to, Tensor* rows) {
  if (!rows->defined()) {
    *to = found;
    *rows = unit;
    return;
  }
  const std::vector<bool> above = aboveTolerance(*to, tolerance);
  const Tensor better =
      at::zeros({unit.size(0), 1}, at::TensorOptions(at::kBool));
  for (size_t n = 0; n < above.size(); ++n) {
    if (!above[n] && !(found.residuals[n] < to->residuals[n])) continue;
    to->indices[n] = found.indices[n];
    to->residuals[n] = found.residuals[n];
    better.mutable_data_ptr<bool>()[n] = true;
  }
  *rows = at::where(better.to(rows->device()), unit, *rows);
}

}  // namespace

std::vector<bool> aboveTolerance(const ChainIndices& chain, double tolerance) {
  double largest = 0;
  for (const double index : chain.indices)
    largest = std::max(largest, std::abs(index));
  std::vector<bool> above(chain.indices.size());
  for (size_t n = 0; n < above.size(); ++n)
    above[n] = chain.residuals[n] >
               tolerance * std::max(std::abs(chain.indices[n]), largest / 100);
  return above;
}

int64_t countAbove(const ChainIndices& chain, double tolerance) {
  const std::vector<bool> above = aboveTolerance(chain, tolerance);
  return std::count(above.begin(), above.end(), true);
}

Rayleigh::Rayleigh(const Network& network, const std::vector<bool>& wanted_,
                   const IndicesOptions& options_)
    : wanted(wanted_), options(options_) {
  engine = engine::engineFor(network);
  const auto& chains = network.program.chains;
  const at::Generator random =
      at::make_generator<at::CPUGeneratorImpl>(options.seed);
  for (size_t i = 0; i < chains.size(); ++i) {
    for (Tensors* list : {&v, &square, &velocity, &used, &products, &quotients,
                          &sumV, &sumProducts, &sumQuotients})
      list->emplace_back();
    if (!wanted[i]) continue;
    Tensor start = at::empty({chains[i].neurons, chains[i].dimension});
    start.normal_(0, 1, random);
    start = start.to(network.options());  // unit in the network's dtype
    v[i] = start.div_(rowNorm(start));
    square[i] = at::zeros_like(v[i]);
    velocity[i] = at::zeros_like(v[i]);
    products[i] = at::zeros_like(v[i]);
    used[i] = at::zeros_like(v[i]);
    quotients[i] =
        at::zeros({chains[i].neurons}, v[i].options().dtype(at::kDouble));
  }
}

void Rayleigh::step(const Network& network, const Folded& folded,
                    const Piece& piece, double rate) {
  const OneThread alone(engine != nullptr);  // the engine has its own
  const Tensors found = productsOver(network, folded, piece, wanted, v, options,
                                     {}, engine.get());
  for (size_t i = 0; i < v.size(); ++i)
    if (wanted[i]) products[i].copy_(found[i]);
  std::vector<Tensor*> all;
  for (Tensor& product : products) all.push_back(&product);
  sumOverGroupAtOnce(all);
  for (size_t i = 0; i < v.size(); ++i) {
    if (!wanted[i]) continue;
    if (isAveraging()) used[i].copy_(v[i]);
    stepBy(v[i], products[i], square[i], velocity[i], options, rate,
           quotients[i]);
  }
}

bool Rayleigh::isAveraging() const {
  for (const Tensor& sum : sumV)
    if (sum.defined()) return true;
  return false;
}

void Rayleigh::beginAverage() {
  for (size_t i = 0; i < v.size(); ++i) {
    if (!wanted[i]) continue;
    sumV[i] = at::zeros_like(v[i]);
    sumProducts[i] = at::zeros_like(v[i]);
    sumQuotients[i] = at::zeros_like(quotients[i]);
  }
}

void Rayleigh::average(double weight) {
  for (size_t i = 0; i < v.size(); ++i) {
    if (!wanted[i]) continue;
    sumV[i].add_(used[i], weight);
    sumProducts[i].add_(products[i], weight);
    sumQuotients[i].add_(quotients[i], weight);
  }
}

void Rayleigh::finish(Indices* result, Directions* directions,
                      const Network& network, double weight) {
  for (size_t i = 0; i < v.size(); ++i) {
    if (!wanted[i]) continue;
    if (weight != 1) {
      sumProducts[i].div_(weight);
      sumQuotients[i].div_(weight);
    }
    const Tensor norm = rowNorm(sumV[i]);
    const Tensor unit = withSign(sumV[i] / norm);
    const Tensor lambda = sumQuotients[i].to(network.options());
    // Of the averages: the mean product against lambda times the mean v.
    const Tensor residual =
        rowNorm(sumProducts[i] - lambda.unsqueeze(1) * (sumV[i] / norm))
            .squeeze(1);
    take({toVector(sumQuotients[i]), toVector(residual)}, unit,
         options.tolerance, &result->chains[i], &directions->tensors[i].second);
  }
}

}  // namespace splitgrow
