// What the producers of a plan give besides derivatives.
#include "engine/plan.h"

namespace splitgrow::engine {

// A chain's products need the derivative behind its activation, which all
// readers of its map must apply alike.
bool Plan::chooseChain(int index) {
  const Chain& chain = network_.program.chains[index];
  const View end = slots_[chain.end() + 1].view;
  Map& map = context_.maps[end.map];
  const View output = slots_[network_.program.output].view;
  if (map.norm != chain.batchNorm ||
      (output.map == end.map && output.act != end.act))
    return false;
  Producer* layer = nullptr;
  for (const ProducerPtr& one : producers_) {
    if (one->out() == end.map) layer = one.get();
    for (const View& view : one->inputs())
      if (view.map == end.map && view.act != end.act) return false;
  }
  if (layer == nullptr || layer->node() != chain.layer || !layer->splits())
    return false;
  if (formOf(index) == Form::kInputs)
    keeping_[end.map] = index;
  else if (formOf(index) == Form::kMatrices)
    layer->wantMatrices(index, 0, chain.neurons);
  else if (options_.goal == Goal::kProducts)
    layer->wantProducts(index, options_.neurons[index].count);
  else
    layer->wantMatrices(index, options_.neurons[index].from,
                        options_.neurons[index].count);
  map.isOuter = true;
  map.outer = end.act;
  return true;
}

void Plan::chooseWanted() {
  const bool hasGradients = options_.goal == Goal::kGradients;
  context_.wantsGradients = hasGradients;
  if (!hasGradients)
    for (const ProducerPtr& one : producers_) one->want(Wanted::kNothing);
  keeping_.assign(context_.maps.size(), -1);
  for (size_t i = 0; i < options_.chains.size(); ++i)
    if (options_.chains[i] || formOf(i) != Form::kNone)
      isPossible_ = chooseChain(static_cast<int>(i)) && isPossible_;
  isTrained_.assign(context_.maps.size(), false);
  for (const ProducerPtr& one : producers_) {
    const bool hasParameters =
        !network_.nodes[one->node()].parameters.empty() ||
        context_.maps[one->out()].norm >= 0;
    bool is = hasGradients ? hasParameters
                           : one->wants() != Wanted::kNothing ||
                                 keeping_[one->out()] >= 0;
    for (const View& view : one->inputs()) is = is || isTrained_[view.map];
    isTrained_[one->out()] = is;
  }
}

void Plan::addKeeping(Stage* stage, const Producer& layer) {
  const int chain = keeping_[layer.out()];
  if (chain < 0) return;
  const View in = layer.inputs()[0];
  const Map* const out = &context_.maps[layer.out()];
  const Chunks chunks =
      keptChunks(context_.table, context_.maps[in.map].channels + out->channels,
                 out->pixels(), context_.blocks);
  context_.needScratch(chunks.pixelsEach);
  stage->segments.push_back(
      {chunks.count, [this, chain, in, out](int64_t chunk, float* unused) {
         context_.inputs.kept[chain]->write(context_, in, *out, chunk, unused);
       }});
}

}  // namespace splitgrow::engine
