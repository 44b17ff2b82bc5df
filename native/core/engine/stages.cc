// The stages of a plan, in the order of the program and back.
#include "engine/plan.h"

namespace splitgrow::engine {

namespace {

// Numbers of an image that a unit reads.
constexpr int64_t kRead = 1024;

int64_t size(const Context& context, const Map& map) {
  return map.block * context.blocks;
}

}  // namespace

Stage* Plan::addStage() {
  stages_.push_back(std::make_unique<Stage>());
  order_.push_back(stages_.back().get());
  stages_.back()->isReversed = order_.size() % 2 == 0;
  return stages_.back().get();
}

// Images into lanes, and weights into the order of tiles.
void Plan::addPreparation() {
  Stage* stage = addStage();
  const auto count = static_cast<int64_t>(places_.size());
  const int64_t parts = (count + kRead - 1) / kRead;
  stage->segments.push_back(
      {context_.blocks * parts, [this, count, parts](int64_t unit, float*) {
         const int64_t from = unit % parts * kRead;
         context_.spread(context_.inputs.images, count, unit / parts, from,
                         std::min(kRead, count - from), places_,
                         context_.plane(context_.maps[0], unit / parts, 0));
       }});
  std::vector<Producer*> packing;
  for (const ProducerPtr& one : producers_)
    if (one->packs()) packing.push_back(one.get());
  stage->segments.push_back(
      {static_cast<int64_t>(packing.size()),
       [packing](int64_t i, float*) { packing[i]->pack(); }});
  if (options_.usesBatch) return;
  stage->finish = [this] {
    for (Map& map : context_.maps)
      if (map.norm >= 0) takeRunning(&context_, &map);
  };
}

void Plan::addLoss() {
  const int64_t classes = network_.program.classes;
  const View view = slots_[network_.program.output].view;
  logits_.reserve(context_.blocks * classes * context_.lanes);
  context_.needScratch(4 * classes + 4);
  addStage()->segments.push_back(
      {context_.blocks, [this, classes, view](int64_t b, float* scratch) {
         const Map& map = context_.maps[view.map];
         float* to = logits_.data() + b * classes * context_.lanes;
         for (int64_t j = 0; j < classes; ++j)
           context_.table.value(context_.reading(view, j),
                                context_.plane(map, b, j), 1,
                                to + j * context_.lanes);
         if (context_.inputs.labels != nullptr) lossOf(b, scratch);
       }});
}

void Plan::lossOf(int64_t b, float* scratch) {
  const int64_t classes = network_.program.classes, lanes = context_.lanes;
  const Inputs& in = context_.inputs;
  float* sums = scratch + classes * lanes;
  context_.table.crossEntropy(
      logits_.data() + b * classes * lanes, 1, classes, in.labels + b * lanes,
      context_.imagesIn(b), static_cast<float>(in.smoothing),
      static_cast<float>(in.share / static_cast<double>(options_.images)),
      context_.outputs.losses.data() + b * lanes,
      context_.outputs.ranks.data() + b * lanes,
      loss_.isWanted ? scratch : nullptr, 1);
  if (!loss_.isWanted) return;
  const View view = slots_[network_.program.output].view;
  Map& map = context_.maps[view.map];
  const bool keeps = loss_.isLast && context_.wantsGradients && map.needsSums();
  if (keeps) std::fill_n(sums, 2 * classes * lanes, 0.0f);
  for (int64_t j = 0; j < classes; ++j)
    context_.table.contribute(
        context_.reading({view.map, context_.slopeOf(view)}, j),
        context_.plane(map, b, j), scratch + j * lanes, 1, false,
        context_.gradients(map, b, j), keeps ? sums + 2 * j * lanes : nullptr);
  if (keeps) context_.keepDerivatives(&map, b, 0, classes, sums);
}

void Plan::planForward() {
  addPreparation();
  for (const Map& map : context_.maps) lives_.push_back({size(context_, map)});
  const auto lastStage = [&] { return static_cast<int64_t>(order_.size()); };
  for (const int map : factors_) lives_[map].from = 0;
  for (const ProducerPtr& one : producers_) {
    if (one->usesTensors()) one->addTensors(addStage());
    Stage* stage = addStage();
    one->addForward(stage);
    lives_[one->out()].from = lives_[one->out()].to = lastStage();
    for (const View& view : one->inputs()) lives_[view.map].to = lastStage();
    Map* map = &context_.maps[one->out()];
    if (map->norm >= 0 && options_.usesBatch)
      stage->finish = [this, map] { finishMoments(&context_, map); };
  }
  addLoss();
  lives_[slots_[network_.program.output].view.map].to = lastStage();
  // A pass back reads all of them; and the factors are made before a pass.
  if (options_.goal != Goal::kValues || options_.hasDropout)
    for (Life& life : lives_) life = {life.size, 0, 1};
  livesBack_.assign(lives_.size(), {});
  homes_.assign(lives_.size(), -1);
}

void Plan::planBackward() {
  const int output = slots_[network_.program.output].view.map;
  const size_t maps = context_.maps.size();
  std::vector<bool> isReached(maps, false), isBegun(maps, false);
  std::vector<int> contributions(maps, 0);
  isReached[output] = isTrained_[output];
  contributions[output] = 1;
  for (auto one = producers_.rbegin(); one != producers_.rend(); ++one) {
    if (!isReached[(*one)->out()]) continue;
    for (const View& view : (*one)->inputs())
      if (isTrained_[view.map]) {
        isReached[view.map] = true;
        ++contributions[view.map];
      }
  }
  const auto now = [&] { return static_cast<int64_t>(order_.size()); };
  // `from`: the map whose derivative it may overwrite; -1: none.
  const auto contribute = [&](int map, int from) -> Target {
    if (!isTrained_[map]) return {};
    if (!isBegun[map]) {
      homes_[map] = from < 0 ? map : homes_[from];
      Life& life = livesBack_[homes_[map]];
      if (from < 0) life.from = now();
      life.size = std::max(life.size, size(context_, context_.maps[map]));
    }
    const Target target{true, isBegun[map], --contributions[map] == 0};
    isBegun[map] = true;
    return target;
  };
  std::vector<Producer*> producerOf(maps, nullptr);
  for (const ProducerPtr& one : producers_) producerOf[one->out()] = one.get();
  // What is whole when a stage ends.
  const auto finish = [this, producerOf](int map) {
    Map& whole = context_.maps[map];
    finishDerivatives(&context_, &whole);
    const Producer* const producer = producerOf[map];
    if (whole.hasBias)
      for (int64_t c = 0; c < whole.channels; ++c)
        network_.nodes[producer->node()]
            .gradients[1]
            .mutable_data_ptr<float>()[c] = static_cast<float>(whole.center[c]);
    if (whole.norm >= 0 && context_.inputs.onGradients)
      context_.inputs.onGradients(whole.norm);
  };
  const auto finishStage = [&](Stage* stage, const std::vector<int>& whole,
                               int folded) {
    stage->finish = [this, finish, whole, folded] {
      for (const int map : whole) finish(map);
      if (folded >= 0 && context_.inputs.onGradients)
        context_.inputs.onGradients(folded);
    };
  };
  const auto whole = [&](const Target& target, int map,
                         std::vector<int>* list) {
    if (target.isLast && context_.wantsGradients &&
        context_.maps[map].needsSums())
      list->push_back(map);
  };

  if (!isReached[output]) return;
  loss_ = contribute(output, -1);
  if (loss_.isLast && context_.wantsGradients &&
      context_.maps[output].needsSums())
    context_.maps[output].derivatives.resize(context_.blocks,
                                             context_.maps[output].channels);
  std::vector<int> list;
  whole(loss_, output, &list);
  finishStage(stages_.back().get(), list, -1);
  Producer* folding = nullptr;
  int which = 0;
  for (auto one = producers_.rbegin(); one != producers_.rend(); ++one) {
    Producer* producer = one->get();
    const int out = producer->out();
    if (!isReached[out]) continue;
    Stage* const before = producer->usesTensors() ? addStage() : nullptr;
    Stage* stage = addStage();
    std::vector<Target> targets;
    list.clear();
    for (const View& view : producer->inputs()) {
      // What is kept is read while derivatives are written.
      const bool isInPlace = producer->isInPlace() && keeping_[out] < 0;
      targets.push_back(contribute(view.map, isInPlace ? out : -1));
      whole(targets.back(), view.map, &list);
    }
    livesBack_[homes_[out]].to = now();
    addKeeping(stage, *producer);
    if (before != nullptr) producer->addTensorsBack(before, targets);
    producer->addBackward(stage, targets, which);
    which = 1 - which;
    if (folding != nullptr) folding->addFold(stage);
    finishStage(stage, list, folding != nullptr ? folding->node() : -1);
    folding = producer->folds() ? producer : nullptr;
  }
  if (folding == nullptr) return;
  Stage* stage = addStage();
  folding->addFold(stage);
  finishStage(stage, {}, folding->node());
}

}  // namespace splitgrow::engine
