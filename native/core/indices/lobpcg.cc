// The passes of lobpcg: each sums S p for the new directions p of all neurons.
#include "indices/lobpcg.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "indices/indices_job.h"

namespace splitgrow {

using at::Tensor;

Tensor randomRows(int64_t rows, int64_t d, const IndicesOptions& options,
                  int64_t pass, size_t chain) {
  const uint64_t seed = options.seed + 1000003 * static_cast<uint64_t>(pass) +
                        static_cast<uint64_t>(chain);
  return at::empty({rows, d}, at::kDouble)
      .normal_(0, 1, at::make_generator<at::CPUGeneratorImpl>(seed));
}

Lobpcg::Lobpcg(const Network& network, const std::vector<bool>& chains,
               const IndicesOptions& options)
    : spaces(chains.size()), wanted(chains) {
  require(!options.auxiliary, "E_ARGUMENT",
          "lobpcg has no products by the auxiliary activation");
  for (size_t i = 0; i < chains.size(); ++i) {
    const Chain& chain = network.program.chains[i];
    Space& space = spaces[i];
    space.owners = at::empty({0}, at::kLong);
    wanted[i] = chains[i] && !isFlat(network, chain, options.identityCurvature);
    if (!wanted[i]) continue;
    space.basis.resize(chain.neurons);
    space.products.resize(chain.neurons);
    space.grams.resize(chain.neurons);
    space.owners = at::arange(chain.neurons, at::kLong);
    const Tensor start =
        randomRows(chain.neurons, chain.dimension, options, 0, i);
    space.next = (start / start.norm(2, {1}, true)).to(network.dtype);
  }
}

bool Lobpcg::isUnderWay(const IndicesOptions& options) const {
  return pass < options.passes &&
         std::find(wanted.begin(), wanted.end(), true) != wanted.end();
}

namespace {

// The passes of a search.
class Search {
 public:
  Search(const Job& job, IndicesState* state)
      : job_(job),
        state_(*state),
        search_(*state->lobpcg),
        images_(state->lobpcg->images),
        engine_(engine::engineFor(*job.network)),
        agreement_(job.control, job.options.pause) {}

  Pause run() {
    chooseKept();
    while (search_.isUnderWay(job_.options)) {
      begin();
      const Pause pause = isSwept() ? sweep() : passOverKept();
      if (pause != Pause::none) return pause;
    }
    return Pause::none;
  }

 private:
  std::unique_ptr<Sweep> minibatches() const {
    return job_.data.sweep(
        {.batch = job_.options.batch, .tensors = job_.network->options()});
  }

  // The same layers after every resume, so that the bits are the same.
  void chooseKept() {
    if (images_.isChosen || !search_.isUnderWay(job_.options)) return;
    images_.isChosen = true;
    if (engine_ == nullptr || !job_.folded.trained.empty()) return;
    const IndicesOptions& o = job_.options;
    std::vector<bool> all = o.chainsOf(Method::kLobpcg);
    for (size_t i = 0; i < all.size(); ++i)
      all[i] = all[i] && !isFlat(*job_.network, job_.network->program.chains[i],
                                 o.identityCurvature);
    images_.layers =
        engine_->layersToKeep(all, job_.data.size(), o.batch, o.memoryLimit);
    leaveDone();
  }
  void leaveDone() {
    for (size_t i = 0; i < images_.layers.size(); ++i)
      if (!search_.wanted[i]) images_.layers[i].reset();
  }

  // The directions of this pass.
  void begin() {
    const auto& chains = job_.network->program.chains;
    next_.assign(chains.size(), Tensor());
    owners_.assign(chains.size(), Tensor());
    swept_ = search_.wanted;
    for (size_t i = 0; i < chains.size(); ++i) {
      if (!search_.wanted[i]) continue;
      Lobpcg::Space& space = search_.spaces[i];
      swept_[i] = !images_.has(i);
      next_[i] = space.next.to(job_.network->device);
      const bool isPlain =
          space.owners.equal(at::arange(chains[i].neurons, at::kLong));
      if (!isPlain) owners_[i] = space.owners.to(job_.network->device);
      if (!space.sums.defined())
        space.sums = at::zeros_like(next_[i], at::kDouble);
    }
  }

  // Whether this pass goes through the network.
  bool isSwept() const {
    return search_.pass == 0 ||
           std::find(swept_.begin(), swept_.end(), true) != swept_.end();
  }

  // Products of one minibatch for the wanted chains; keeps it if it is the next
  // one to keep. Gives the images that could be read.
  double step(Sweep* sweep, int64_t i, const std::vector<bool>& wanted) {
    Piece piece = sweep->piece(i, 0);
    const double read = sweep->readOf(i, &piece);
    if (read > 0) {
      piece.share *= job_.weightOf(read);
      const bool keeps = i == images_.steps;
      const Tensors found = productsOver(
          *job_.network, job_.folded, piece, wanted, next_, job_.options,
          owners_, engine_.get(), keeps ? images_.layers : engine::Kept());
      for (size_t c = 0; c < wanted.size(); ++c)
        if (wanted[c]) search_.spaces[c].sums.add_(found[c]);
    }
    if (i == images_.steps) {
      ++images_.steps;
      images_.read += read;
    }
    return read;
  }

  // Keeps what a search that goes on from tensors has not kept.
  void catchUp(Sweep* sweep, int64_t steps) {
    const std::vector<bool> none(swept_.size(), false);
    while (images_.steps < steps) {
      agreement_.check();
      step(sweep, images_.steps, none);
    }
  }

  Pause sweep() {
    const auto sweep = minibatches();
    const int64_t steps = sweep->steps();
    requirePlace(state_, steps);
    if (hasKept())
      catchUp(sweep.get(), search_.pass == 0 ? state_.next : steps);
    while (state_.next < steps) {
      agreement_.check();
      const int64_t i = state_.next;
      state_.read += step(sweep.get(), i, swept_);
      told_ += sweep->images(i);
      job_.tell("lobpcg", search_.pass * steps + ++state_.next,
                job_.options.passes * steps, told_);
      const Pause pause = agreement_.pause();
      if (pause != Pause::none) return pause;
    }
    sweep->requireRead(state_.read);
    finish();
    return Pause::none;
  }

  Pause passOverKept() {
    agreement_.check();
    const auto sweep = minibatches();
    const int64_t steps = sweep->steps();
    catchUp(sweep.get(), steps);
    state_.read = images_.read;
    finish();
    told_ += job_.data.size();
    job_.tell("lobpcg", search_.pass * steps, job_.options.passes * steps,
              told_);
    return agreement_.pause();
  }

  bool hasKept() const {
    for (size_t i = 0; i < search_.wanted.size(); ++i)
      if (search_.wanted[i] && images_.has(i)) return true;
    return false;
  }

  // Products of the kept layers, and the end of the pass.
  void finish() {
    for (size_t i = 0; i < search_.wanted.size(); ++i)
      if (search_.wanted[i] && images_.has(i))
        search_.spaces[i].sums.copy_(
            engine_->products(*images_.layers[i], next_[i], owners_[i]));
    endPass(job_, &state_);
    leaveDone();
  }

  const Job& job_;
  IndicesState& state_;
  Lobpcg& search_;
  Lobpcg::Images& images_;
  const std::unique_ptr<engine::Engine> engine_;
  Agreement agreement_;
  Tensors next_, owners_;
  std::vector<bool> swept_;
  int64_t told_ = 0;
};

}  // namespace

Pause runLobpcg(const Job& job, IndicesState* state) {
  const auto& chains = job.network->program.chains;
  for (size_t i = 0; i < chains.size(); ++i) {
    Tensor& directions = state->result.directions->tensors[i].second;
    const bool isFlat =
        job.options.methods[i] == Method::kLobpcg && !state->lobpcg->wanted[i];
    if (isFlat && !directions.defined())
      directions = firstAxis(*job.network, chains[i]);
  }
  return Search(job, state).run();
}

}  // namespace splitgrow
