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

Pause runLobpcg(const Job& job, IndicesState* state) {
  const IndicesOptions& o = job.options;
  Lobpcg& search = *state->lobpcg;
  const auto& chains = job.network->program.chains;
  for (size_t i = 0; i < chains.size(); ++i) {
    Tensor& directions = state->result.directions->tensors[i].second;
    const bool isFlat = o.methods[i] == Method::kLobpcg && !search.wanted[i];
    if (isFlat && !directions.defined())
      directions = firstAxis(*job.network, chains[i]);
  }
  const std::unique_ptr<engine::Engine> engine =
      engine::engineFor(*job.network);
  Agreement agreement(job.control, o.pause);
  int64_t images = 0;
  while (search.isUnderWay(o)) {
    const auto sweep =
        job.data.sweep({.batch = o.batch, .tensors = job.network->options()});
    const int64_t steps = sweep->steps();
    requirePlace(*state, steps);
    Tensors next(chains.size()), owners(chains.size());
    for (size_t i = 0; i < chains.size(); ++i) {
      if (!search.wanted[i]) continue;
      Lobpcg::Space& space = search.spaces[i];
      next[i] = space.next.to(job.network->device);
      const bool isPlain =
          space.owners.equal(at::arange(chains[i].neurons, at::kLong));
      if (!isPlain) owners[i] = space.owners.to(job.network->device);
      if (!space.sums.defined())
        space.sums = at::zeros_like(next[i], at::kDouble);
    }
    while (state->next < steps) {
      agreement.check();
      const int64_t i = state->next;
      Piece piece = sweep->piece(i, 0);
      const double read = sweep->readOf(i, &piece);
      state->read += read;
      if (read > 0) {
        const Tensors found =
            productsOver(*job.network, job.folded, piece, search.wanted, next,
                         o, owners, engine.get());
        for (size_t c = 0; c < chains.size(); ++c)
          if (search.wanted[c])
            search.spaces[c].sums.add_(found[c], job.weightOf(read));
      }
      images += sweep->images(i);
      job.tell("lobpcg", search.pass * steps + ++state->next, o.passes * steps,
               images);
      const Pause pause = agreement.pause();
      if (pause != Pause::none) return pause;
    }
    sweep->requireRead(state->read);
    endPass(job, state);
  }
  return Pause::none;
}

}  // namespace splitgrow
