// The searches of lobpcg that are under way, to tensors and back.
#include "indices/lobpcg.h"

namespace splitgrow {

namespace {

using at::Tensor;

// The rows of all neurons of a space, one below the other.
Tensor rowsOf(const Tensors& byNeuron, const Tensor& like) {
  Tensors rows = {like.narrow(0, 0, 0)};
  for (const Tensor& one : byNeuron)
    if (one.defined()) rows.push_back(one);
  return at::cat(rows);
}
Tensor countsOf(const Tensors& byNeuron) {
  std::vector<int64_t> counts;
  for (const Tensor& one : byNeuron)
    counts.push_back(one.defined() ? one.size(0) : 0);
  return at::tensor(counts, at::kLong);
}
// Whether all values are from 0 to below `most`.
bool isBelow(const Tensor& values, int64_t most) {
  return values.numel() == 0 || (values.min().item<int64_t>() >= 0 &&
                                 values.max().item<int64_t>() < most);
}
void cut(const Tensor& rows, const Tensor& counts, Tensors* byNeuron) {
  int64_t from = 0;
  for (int64_t n = 0; n < counts.size(0); ++n) {
    const int64_t count = counts[n].item<int64_t>();
    (*byNeuron)[n] = count > 0 ? rows.narrow(0, from, count) : Tensor();
    from += count;
  }
}

}  // namespace

void tellLobpcg(const Lobpcg& search, const Network& network, bool hasSums,
                NamedTensors* tensors) {
  tensors->emplace_back(
      "pass", at::tensor(std::vector<int64_t>{search.pass}, at::kLong));
  for (size_t i = 0; i < search.spaces.size(); ++i) {
    if (!search.wanted[i]) continue;
    const auto& [basis, products, grams, next, owners, sums] = search.spaces[i];
    const std::string& id = network.program.chains[i].id;
    tensors->emplace_back(named("next", id), next);
    tensors->emplace_back(named("owners", id), owners);
    tensors->emplace_back(named("rows", id), countsOf(basis));
    tensors->emplace_back(named("basis", id), rowsOf(basis, next));
    tensors->emplace_back(named("products", id), rowsOf(products, next));
    if (hasSums && sums.defined())
      tensors->emplace_back(named("passSums", id), sums);
  }
}

void takeLobpcg(const KeptTensors& source, const Network& network,
                const IndicesOptions& options, Lobpcg* to) {
  Lobpcg& search = *to;
  search.pass = source.take("pass", {1}, at::kLong).item<int64_t>();
  require(search.pass >= 0 && search.pass <= options.passes, "E_RESUME",
          "indices: the checkpoint stands at pass ", search.pass, " of ",
          options.passes, "; go on with the passes of before");
  for (size_t i = 0; i < search.spaces.size(); ++i) {
    const auto& [id, n, d] = std::tie(network.program.chains[i].id,
                                      network.program.chains[i].neurons,
                                      network.program.chains[i].dimension);
    Lobpcg::Space& space = search.spaces[i];
    search.wanted[i] = search.wanted[i] && source.has(named("owners", id));
    if (!search.wanted[i]) {
      space = {};
      space.owners = at::empty({0}, at::kLong);
      continue;
    }
    space.owners = source.takeRows(named("owners", id), at::kLong);
    const std::vector<int64_t> shape = {space.owners.numel(), d};
    space.next = source.take(named("next", id), shape, network.dtype);
    const Tensor counts = source.take(named("rows", id), {n}, at::kLong);
    require(isBelow(space.owners, n) && isBelow(counts, d + 1), "E_RESUME",
            "indices: the rows of \"", id, "\" in the checkpoint are not its ",
            "neurons'; remove the checkpoint");
    const std::vector<int64_t> all = {counts.sum().item<int64_t>(), d};
    cut(source.take(named("basis", id), all, network.dtype), counts,
        &space.basis);
    cut(source.take(named("products", id), all, network.dtype), counts,
        &space.products);
    if (source.has(named("passSums", id)))
      space.sums = source.take(named("passSums", id), shape, at::kDouble)
                       .to(network.device);
  }
}

}  // namespace splitgrow
