// The state of an interrupted computation of indices, to tensors and back.
#include "indices/indices_state.h"

#include <algorithm>

#include "indices/kept_tensors.h"
#include "ranks/group.h"

namespace splitgrow {

namespace {

using at::Tensor;

Tensor doubles(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}
std::vector<double> values(const Tensor& t) {
  const double* p = t.const_data_ptr<double>();
  return {p, p + t.numel()};
}

// How far the computation is, and how the exact chains are cut.
Tensor placeOf(const IndicesState& state) {
  return at::tensor(std::vector<int64_t>{state.sweep, state.epoch, state.next},
                    at::kLong);
}
Tensor blocksOf(const IndicesState& state) {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < state.sweeps.size(); ++i)
    for (const Block& block : state.sweeps[i])
      for (const int64_t part : {static_cast<int64_t>(i), int64_t{block.chain},
                                 block.from, block.count})
        rows.push_back(part);
  return at::tensor(rows, at::kLong).view({-1, 4});
}

// The tensors of one chain's descent with their names.
template <class Visit>
void forDescent(Rayleigh* descent, size_t chain, Visit visit) {
  visit("v", &descent->v[chain]);
  visit("square", &descent->square[chain]);
  visit("velocity", &descent->velocity[chain]);
  visit("sumV", &descent->sumV[chain]);
  visit("sumProducts", &descent->sumProducts[chain]);
}

// Bytes of the sums of the sweep or the pass under way.
int64_t bytesOf(const IndicesState& state) {
  int64_t bytes = 0;
  const auto count = [&](const Tensor& sums) {
    if (sums.defined()) bytes += static_cast<int64_t>(sums.nbytes());
  };
  if (state.isSweeping())
    for (const Block& block : state.sweeps[state.sweep]) count(block.sums);
  else
    for (const Lobpcg::Space& space : state.lobpcg->spaces) count(space.sums);
  return bytes;
}

// Results of whole chains, and the sums of the exact sweep under way.
void takeResults(const KeptTensors& source, const Network& network,
                 IndicesState* state) {
  for (size_t i = 0; i < network.program.chains.size(); ++i) {
    const Chain& chain = network.program.chains[i];
    if (!source.has(named("directions", chain.id))) continue;
    auto& [indices, residuals, epochs] = state->result.chains[i];
    const std::vector<int64_t> one = {chain.neurons};
    indices = values(source.take(named("indices", chain.id), one, at::kDouble));
    residuals =
        values(source.take(named("residuals", chain.id), one, at::kDouble));
    epochs =
        source.take(named("epochs", chain.id), {1}, at::kLong).item<int64_t>();
    state->result.directions->tensors[i].second =
        source
            .take(named("directions", chain.id),
                  {chain.neurons, chain.dimension}, network.dtype)
            .to(network.device);
  }
  if (!state->isSweeping()) return;
  for (size_t i = 0; i < state->sweeps[state->sweep].size(); ++i) {
    Block& block = state->sweeps[state->sweep][i];
    const std::string name = named("sums", std::to_string(i));
    if (!source.has(name)) continue;
    const int64_t d = network.program.chains[block.chain].dimension;
    block.sums = source.take(name, {d, d, block.count}, network.dtype)
                     .to(network.device);
  }
}

void takeDescent(const KeptTensors& source, const Network& network,
                 IndicesState* state) {
  Rayleigh& descent = *state->descent;
  for (size_t i = 0; i < network.program.chains.size(); ++i) {
    if (!descent.wanted[i]) continue;
    const Chain& chain = network.program.chains[i];
    forDescent(&descent, i, [&](const char* what, Tensor* to) {
      if (!source.has(named(what, chain.id))) return;
      *to = source
                .take(named(what, chain.id), {chain.neurons, chain.dimension},
                      network.dtype)
                .to(network.device);
    });
    const std::string quotients = named("sumQuotients", chain.id);
    if (source.has(quotients))
      descent.sumQuotients[i] =
          source.take(quotients, {chain.neurons}, at::kDouble)
              .to(network.device);
  }
}

// Where the descent's rounds stand, and which chains are done.
void takeRounds(const KeptTensors& source, const IndicesOptions& options,
                IndicesState* state) {
  const auto at = values(source.take("rounds", {4}, at::kDouble));
  require(at[0] >= static_cast<double>(state->epoch) &&
              at[0] <= static_cast<double>(options.mostEpochs),
          "E_RESUME", "indices: the checkpoint's round ends at epoch ", at[0],
          ", which is nowhere");
  state->roundEnd = static_cast<int64_t>(at[0]);
  state->rateFactor = at[1];
  state->above = static_cast<int64_t>(at[2]);
  state->sum = at[3];
  for (size_t i = 0; i < state->result.chains.size(); ++i)
    if (state->descent->wanted[i] &&
        state->result.directions->tensors[i].second.defined())
      state->descent->wanted[i] =
          countAbove(state->result.chains[i], options.tolerance) > 0;
}

}  // namespace

IndicesState::IndicesState(const Network& network,
                           const IndicesOptions& options)
    : chains_(network.program.chains),
      methods_(options.methods),
      device_(network.device),
      dtype_(network.dtype) {
  const auto& chains = network.program.chains;
  require(options.methods.size() == chains.size(), "E_ARGUMENT", "expected ",
          chains.size(), " methods, found ", options.methods.size());
  sweeps = planBlocks(network, options.chainsOf(Method::kExact), options);
  roundEnd = options.epochs;
  for (const Method method : options.methods) {
    const std::vector<bool> here = options.chainsOf(method);
    if (method == Method::kRayleigh && !descent)
      descent = std::make_unique<Rayleigh>(network, here, options);
    if (method == Method::kLobpcg && !lobpcg)
      lobpcg = std::make_unique<Lobpcg>(network, here, options);
  }
  result.directions = std::make_shared<Directions>();
  for (const Chain& chain : chains) {
    result.chains.push_back({std::vector<double>(chain.neurons, 0),
                             std::vector<double>(chain.neurons, 0), 0});
    result.directions->tensors.emplace_back(chain.id, Tensor());
  }
}

void IndicesState::checkFits(const Network& network,
                             const IndicesOptions& options) const {
  const auto& chains = network.program.chains;
  const auto isLike = [](const Chain& a, const Chain& b) {
    return a.id == b.id && a.neurons == b.neurons && a.dimension == b.dimension;
  };
  require(network.device == device_ && network.dtype == dtype_ &&
              std::equal(chains.begin(), chains.end(), chains_.begin(),
                         chains_.end(), isLike),
          "E_ARGUMENT", "the state of the indices is that of another network");
  require(options.methods == methods_, "E_ARGUMENT",
          "the state of the indices was begun by other methods");
}

NamedTensors tensorsOf(const IndicesState& state, const Network& network,
                       const IndicesOptions& options, int64_t mostBytes) {
  state.checkFits(network, options);
  NamedTensors tensors = {{"place", placeOf(state)},
                          {"seconds", doubles({state.seconds})},
                          {"read", doubles({state.read})},
                          {"blocks", blocksOf(state)}};
  const auto& chains = network.program.chains;
  for (size_t i = 0; i < chains.size(); ++i) {
    const Tensor& directions = state.result.directions->tensors[i].second;
    if (!directions.defined()) continue;
    const auto& [indices, residuals, epochs] = state.result.chains[i];
    tensors.emplace_back(named("indices", chains[i].id), doubles(indices));
    tensors.emplace_back(named("residuals", chains[i].id), doubles(residuals));
    tensors.emplace_back(named("epochs", chains[i].id),
                         at::tensor(std::vector<int64_t>{epochs}, at::kLong));
    tensors.emplace_back(named("directions", chains[i].id), directions);
  }
  const bool isSearching = state.isSearching(options);
  bool isKept = true;
  if ((state.isSweeping() || isSearching) && state.next > 0) {
    isKept = groupWorld() == 1 && bytesOf(state) <= mostBytes;
    if (!isKept && !options.trainedNorms.empty()) return {};
    if (!isKept) {
      tensors[0].second[2] = 0;
      tensors[2].second[0] = 0;
    }
  }
  if (state.isSweeping()) {
    const auto& blocks = state.sweeps[state.sweep];
    for (size_t i = 0; isKept && i < blocks.size(); ++i)
      if (blocks[i].sums.defined())
        tensors.emplace_back(named("sums", std::to_string(i)), blocks[i].sums);
    return tensors;
  }
  if (state.lobpcg) tellLobpcg(*state.lobpcg, network, isKept, &tensors);
  if (!state.descent || isSearching) return tensors;
  tensors.emplace_back(
      "rounds", doubles({static_cast<double>(state.roundEnd), state.rateFactor,
                         static_cast<double>(state.above), state.sum}));
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!state.descent->wanted[i]) continue;
    forDescent(state.descent.get(), i, [&](const char* what, Tensor* t) {
      if (t->defined()) tensors.emplace_back(named(what, chains[i].id), *t);
    });
    if (state.descent->sumQuotients[i].defined())
      tensors.emplace_back(named("sumQuotients", chains[i].id),
                           state.descent->sumQuotients[i]);
  }
  return tensors;
}

std::shared_ptr<IndicesState> stateOf(const Network& network,
                                      const IndicesOptions& options,
                                      const NamedTensors& tensors) {
  auto state = std::make_shared<IndicesState>(network, options);
  if (tensors.empty()) return state;
  const KeptTensors source(tensors);
  const Tensor place = source.take("place", {3}, at::kLong);
  const Tensor blocks = blocksOf(*state);
  require(source.take("blocks", blocks.sizes().vec(), at::kLong).equal(blocks),
          "E_RESUME", "indices: the checkpoint cut the layers' matrices in ",
          "another way; go on with the threads and the memory limit of before");
  const int64_t* at = place.const_data_ptr<int64_t>();
  require(at[0] >= 0 && at[0] <= static_cast<int64_t>(state->sweeps.size()) &&
              at[1] >= 0 && at[1] < options.mostEpochs && at[2] >= 0,
          "E_RESUME", "indices: the checkpoint stands at sweep ", at[0],
          ", epoch ", at[1], ", minibatch ", at[2], ", which is nowhere");
  state->sweep = at[0];
  state->epoch = at[1];
  state->next = at[2];
  state->seconds = values(source.take("seconds", {1}, at::kDouble))[0];
  // Earlier versions counted every image and kept no such number.
  state->read = source.has("read")
                    ? values(source.take("read", {1}, at::kDouble))[0]
                    : static_cast<double>(state->next * options.batch);
  takeResults(source, network, state.get());
  if (state->isSweeping()) return state;
  if (state->lobpcg) takeLobpcg(source, network, options, state->lobpcg.get());
  if (!state->descent || state->isSearching(options)) return state;
  takeDescent(source, network, state.get());
  takeRounds(source, options, state.get());
  return state;
}

}  // namespace splitgrow
