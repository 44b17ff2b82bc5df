// S p for directions of all neurons over one minibatch, in closed form:
// S p = wgrad(x, h * conv(x, p)).
#include "indices/indices.h"
#include "ranks/group.h"

namespace splitgrow {

namespace {

using at::Tensor;

// Channels `index` of h [N, C, H, W] or [N, C], in the layout of h.
Tensor channelsOf(const Tensor& h, const Tensor& index) {
  if (h.dim() != 4) return h.index_select(1, index);
  return h.permute({0, 2, 3, 1}).index_select(3, index).permute({0, 3, 1, 2});
}

// h * u, where row r of the directions that u came from is for neuron
// owners[r], and g * act'(z).
Curvature weigh(const ChainView& view, const Tensor& u, const Tensor& owners) {
  if (!owners.defined()) return view.curvatureOf(u, true);
  Curvature c = view.curvatureOf(Tensor(), true);
  c.p = channelsOf(c.p, owners) * u;
  return c;
}

// By the CPU engine, for what it takes.
std::optional<Tensors> byEngine(engine::Engine* engine, const Network& network,
                                const Folded& folded, const Piece& piece,
                                const std::vector<bool>& wanted,
                                const Tensors& directions,
                                const IndicesOptions& options,
                                const Tensors& owners,
                                const engine::Kept& kept) {
  if (engine == nullptr || !folded.trained.empty()) return std::nullopt;
  std::vector<bool> curved = wanted;
  for (size_t i = 0; i < curved.size(); ++i)
    curved[i] = curved[i] && !isFlat(network, network.program.chains[i],
                                     options.identityCurvature);
  std::optional<Tensors> products = engine->products(
      piece.batch.images, piece.batch.labels, piece.share, curved, directions,
      owners, options.reluBeta, options.identityCurvature, kept);
  for (size_t i = 0; products && i < wanted.size(); ++i)
    if (wanted[i] && !curved[i]) (*products)[i] = at::zeros_like(directions[i]);
  return products;
}

}  // namespace

Tensors productsOver(const Network& network, const Folded& folded,
                     const Piece& piece, const std::vector<bool>& wanted,
                     const Tensors& directions, const IndicesOptions& options,
                     const Tensors& owners, engine::Engine* engine,
                     const engine::Kept& kept) {
  Tensors products(directions.size());
  if (piece.images == 0) {  // the other ranks have some
    for (size_t i = 0; i < products.size(); ++i)
      if (wanted[i]) products[i] = at::zeros_like(directions[i]);
    return products;
  }
  if (options.auxiliary) {
    products = auxiliaryProducts(network, folded, piece.batch, wanted,
                                 directions, options);
    for (const Tensor& product : products)
      if (product.defined()) product.mul_(piece.share);
    return products;
  }
  if (std::optional<Tensors> made =
          byEngine(engine, network, folded, piece, wanted, directions, options,
                   owners, kept))
    return *std::move(made);
  sweepChains(
      network, folded, piece.batch, wanted, options, piece.share,
      [&](const ChainView& view) {
        const int i = view.chain;
        const Tensor& rows = directions[i];
        if (view.isFlat()) {
          products[i] = at::zeros_like(rows);
          return view.g;
        }
        std::vector<int64_t> shape = view.weight.sizes().vec();
        shape[0] = rows.size(0);
        const Tensor weight = rows.view(shape);
        const Tensor u =
            view.layer->apply(*view.attributes, view.x, weight, Tensor());
        const Curvature c =
            weigh(view, u, owners.empty() ? Tensor() : owners[i]);
        products[i] =
            view.layer->weightGrad(*view.attributes, c.p, view.x, weight)
                .reshape(rows.sizes());
        return c.gz;
      });
  // A chain that leads nowhere has no curvature.
  for (size_t i = 0; i < products.size(); ++i)
    if (wanted[i] && !products[i].defined())
      products[i] = at::zeros_like(directions[i]);
  return products;
}

void sumOverGroupAtOnce(const std::vector<Tensor*>& tensors) {
  if (groupWorld() == 1) return;
  Tensors flat;
  for (const Tensor* const tensor : tensors)
    if (tensor->defined()) flat.push_back(tensor->reshape({-1}));
  const Tensor all = at::cat(flat);
  sumOverGroup(all);
  int64_t at = 0;
  for (Tensor* const tensor : tensors) {
    if (!tensor->defined()) continue;
    const int64_t count = tensor->numel();
    *tensor = all.narrow(0, at, count).view(tensor->sizes());
    at += count;
  }
}

}  // namespace splitgrow
