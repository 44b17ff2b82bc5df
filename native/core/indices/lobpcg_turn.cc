// The end of a pass of lobpcg: the Ritz pairs of all neurons, and their
// directions for the next pass.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "indices/indices_job.h"
#include "indices/ritz.h"
#include "ranks/group.h"

namespace splitgrow {

namespace {

using at::Tensor;

// In so many passes each neuron has one direction. Later ones have more where
// the residual would else be too large in the last pass: more directions a pass
// find eigenvalues that lie close together.
constexpr int64_t kPlainPasses = 4;
constexpr int64_t kMostEach = 8;  // directions of one neuron in one pass
// A neuron should be done so many passes before the last.
constexpr int64_t kSpare = 4;
// By how much a pass lowers a residual, as the latest one tells it.
constexpr double kLeastFall = 0.1, kMostFall = 0.9;
// Fewer may all be far from the eigenvector sought, with a small residual. A
// residual that is rounding alone needs less: the rows then span all that S
// makes of a random vector.
constexpr int64_t kLeastRows = 10, kLeastExact = 4;

// Residuals below this share of the largest Ritz value are rounding of S p.
double roundingOf(at::ScalarType dtype) {
  return dtype == at::kDouble ? 1e-12 : 2e-6;
}

// Calls visit(neuron, from, count) for each neuron with rows in this pass.
template <class Visit>
void forOwners(const Tensor& owners, Visit visit) {
  const int64_t* const owner = owners.const_data_ptr<int64_t>();
  for (int64_t from = 0, to = 0; from < owners.size(0); from = to) {
    while (to < owners.size(0) && owner[to] == owner[from]) ++to;
    visit(owner[from], from, to - from);
  }
}

template <class Work>
void inParallel(int64_t count, Work work) {
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    const at::NoGradGuard noGrad;
    for (int64_t i = begin; i < end; ++i) work(i);
  });
}

Tensor joined(const Tensor& rows, const Tensor& more) {
  return rows.defined() ? at::cat({rows, more}) : more.clone();
}

// A neuron that takes part in a pass.
struct Active {
  int64_t neuron;
  Ritz ritz;
  Tensor next;        // its rows of the next pass; undefined: it is done
  int64_t count = 1;  // of them
};

// The largest residual |S v - index v| of a neuron that is done. An eigenvalue
// is then as near to the index. `lowest`: of the chain. Ritz values fall from
// pass to pass, so the size of a positive one says nothing yet.
double mostOf(const Ritz& ritz, double lowest, const IndicesOptions& options,
              double rounding) {
  const double scale =
      std::max(std::abs(ritz.index), std::max(0.0, -lowest) / 100);
  return std::max(options.tolerance * scale, rounding * ritz.largest);
}

// Directions of a neuron in the next pass, so that it is done in time.
// `before`: its residual one pass ago; `left`: passes.
int64_t countFor(const Ritz& ritz, double before, double most, int64_t left) {
  if (ritz.residual <= most)
    return std::clamp<int64_t>(kLeastRows - ritz.rows, 1, kMostEach);
  const double fall = std::clamp(ritz.residual / before, kLeastFall, kMostFall);
  const double passes = std::log(most / ritz.residual) / std::log(fall);
  const double each = std::ceil(
      passes / static_cast<double>(std::max<int64_t>(1, left - kSpare)));
  return static_cast<int64_t>(
      std::clamp(each, 1.0, static_cast<double>(kMostEach)));
}

// One chain at the end of a pass.
class Turn {
 public:
  Turn(const Job& job, size_t chain, IndicesState* state)
      : job_(job),
        at_(chain),
        chain_(job.network->program.chains[chain]),
        space_(state->lobpcg->spaces[chain]),
        pass_(state->lobpcg->pass),
        hasMatrices_(state->lobpcg->images.has(chain) &&
                     state->lobpcg->images.layers[chain]->form() ==
                         engine::Form::kMatrices),
        result_(state->result.chains[chain]),
        directions_(state->result.directions->tensors[chain].second) {}

  void run(const Tensor& products) {
    forOwners(space_.owners, [&](int64_t neuron, int64_t from, int64_t count) {
      Tensor& basis = space_.basis[neuron];
      basis = joined(basis, space_.next.narrow(0, from, count));
      Tensor& images = space_.products[neuron];
      images = joined(images, products.narrow(0, from, count));
      active_.push_back({neuron, {}, {}, 1});
    });
    inParallel(static_cast<int64_t>(active_.size()), [&](int64_t i) {
      Active& one = active_[i];
      one.ritz = Ritz(space_.basis[one.neuron], space_.products[one.neuron],
                      &space_.grams[one.neuron]);
    });
    const ChainIndices before = result_;
    write();
    plan(before);
  }

 private:
  void write() {
    if (!directions_.defined()) directions_ = firstAxis(*job_.network, chain_);
    std::vector<int64_t> rows;
    Tensors found;
    for (const auto& [neuron, ritz, next, count] : active_) {
      result_.indices[neuron] = ritz.index;
      result_.residuals[neuron] = ritz.residual;
      rows.push_back(neuron);
      found.push_back(
          at::tensor(at::ArrayRef<double>(ritz.direction), at::kDouble));
    }
    result_.epochs = pass_ + 1;
    directions_.index_copy_(
        0, at::tensor(rows, at::kLong).to(directions_.device()),
        withSign(at::stack(found)).to(directions_.options()));
  }

  // `before`: what the pass before found.
  void plan(const ChainIndices& before) {
    const IndicesOptions& o = job_.options;
    const double lowest =
        *std::min_element(result_.indices.begin(), result_.indices.end());
    const double rounding = roundingOf(job_.network->dtype);
    std::vector<Active*> open;
    std::vector<int64_t> from = {0};
    for (Active& one : active_) {
      const int64_t rows = one.ritz.rows;
      const double most = mostOf(one.ritz, lowest, o, rounding);
      // The index must stand still too, because the residual is small near any
      // eigenvalue.
      const bool isExact = one.ritz.residual <= rounding * one.ritz.largest;
      const bool isSettled =
          rows >= (isExact ? kLeastExact : kLeastRows) &&
          one.ritz.residual <= most &&
          std::abs(one.ritz.index - before.indices[one.neuron]) <= most;
      if (rows == chain_.dimension || one.ritz.largest == 0 || isSettled)
        continue;
      if (pass_ + 1 >= kPlainPasses)
        one.count = countFor(one.ritz, before.residuals[one.neuron], most,
                             o.passes - pass_ - 1);
      // Products with a matrix cost next to nothing: the next pass has all
      // directions, and its Ritz pairs are eigenpairs.
      if (hasMatrices_) one.count = chain_.dimension - rows;
      one.count = std::min(one.count, chain_.dimension);
      from.push_back(from.back() + one.count);
      open.push_back(&one);
    }
    const Tensor random =
        randomRows(from.back(), chain_.dimension, o, pass_ + 1, at_);
    inParallel(static_cast<int64_t>(open.size()), [&](int64_t i) {
      Active& one = *open[i];
      one.next =
          one.ritz.next(space_.basis[one.neuron], space_.products[one.neuron],
                        random.narrow(0, from[i], one.count), one.count);
    });
    Tensors next;
    std::vector<int64_t> owners;
    for (const Active& one : active_) {
      if (!one.next.defined()) continue;
      next.push_back(one.next);
      owners.insert(owners.end(), one.next.size(0), one.neuron);
    }
    space_.owners = at::tensor(owners, at::kLong);
    if (!owners.empty()) space_.next = at::cat(next).to(job_.network->dtype);
  }

  const Job& job_;
  const size_t at_;
  const Chain& chain_;
  Lobpcg::Space& space_;
  const int64_t pass_;
  const bool hasMatrices_;  // S itself is kept
  ChainIndices& result_;
  Tensor& directions_;
  std::vector<Active> active_;
};

// Gives the next directions of rank 0 to all ranks: with other processors they
// would differ, and maybe their number too.
void shareNext(Lobpcg* search) {
  if (groupWorld() == 1) return;
  Tensors sizes;
  for (const Lobpcg::Space& space : search->spaces)
    sizes.push_back(at::full({1}, space.owners.numel(), at::kDouble));
  const Tensor counts = at::cat(sizes);
  broadcastOverGroup(counts);
  for (size_t i = 0; i < search->spaces.size(); ++i) {
    Lobpcg::Space& space = search->spaces[i];
    const auto rows = static_cast<int64_t>(counts[i].item<double>());
    if (!search->wanted[i] || rows == 0) {
      space.owners = at::empty({0}, at::kLong);
      continue;
    }
    const int64_t d = space.next.size(1);
    Tensor owners = at::zeros({rows}, at::kDouble);
    if (space.owners.numel() == rows) owners.copy_(space.owners);
    broadcastOverGroup(owners);
    Tensor next = at::zeros({rows, d}, space.next.options());
    if (space.next.size(0) == rows) next.copy_(space.next);
    broadcastOverGroup(next);
    space.owners = owners.to(at::kLong);
    space.next = next;
  }
}

// Forgets the directions of neurons that are done.
void release(Lobpcg::Space* space) {
  std::vector<bool> isOpen(space->basis.size(), false);
  forOwners(space->owners,
            [&](int64_t neuron, int64_t, int64_t) { isOpen[neuron] = true; });
  for (size_t n = 0; n < isOpen.size(); ++n)
    if (!isOpen[n])
      space->basis[n] = space->products[n] = space->grams[n] = Tensor();
}

}  // namespace

void endPass(const Job& job, IndicesState* state) {
  Lobpcg& search = *state->lobpcg;
  std::vector<Tensor*> sums;
  for (Lobpcg::Space& space : search.spaces) sums.push_back(&space.sums);
  sumOverGroupAtOnce(sums);
  for (size_t i = 0; i < search.spaces.size(); ++i) {
    if (!search.wanted[i]) continue;
    Lobpcg::Space& space = search.spaces[i];
    // Of the images that could be read.
    space.sums.mul_(static_cast<double>(job.data.size()) / state->read);
    requireFinite(space.sums, job.network->program.chains[i], "a product");
    Turn(job, i, state).run(space.sums.to(at::kCPU, job.network->dtype));
    space.sums = Tensor();
  }
  shareNext(&search);
  for (size_t i = 0; i < search.spaces.size(); ++i) {
    release(&search.spaces[i]);
    search.wanted[i] = search.spaces[i].owners.numel() > 0;
  }
  ++search.pass;
  state->next = 0;
  state->read = 0;
}

}  // namespace splitgrow
