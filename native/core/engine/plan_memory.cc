// The numbers of a plan: where its maps lie, what dropout draws into them, and
// the logits.
#include "engine/plan.h"

namespace splitgrow::engine {

void Plan::placeMaps() {
  kept_ = placesOf(lives_);
  passing_ = placesOf(livesBack_);
  for (size_t i = 0; i < homes_.size(); ++i)
    if (homes_[i] >= 0)
      context_.maps[i].blockBack = livesBack_[homes_[i]].size / context_.blocks;
  context_.memory.kept.reserve(kept_.size * context_.lanes);
  context_.memory.passing.reserve(passing_.size * context_.lanes);
}

void Plan::takeMemory() {
  const int64_t lanes = context_.lanes;
  for (size_t i = 0; i < context_.maps.size(); ++i) {
    Map& map = context_.maps[i];
    map.z = context_.memory.kept.data() + kept_.at[i] * lanes;
    map.g = homes_[i] >= 0 ? context_.memory.passing.data() +
                                 passing_.at[homes_[i]] * lanes
                           : nullptr;
  }
}

// As the row of the op table draws them: in the program's order.
void Plan::drop(const at::Generator& random) {
  for (size_t i = 0; i < dropped_.size(); ++i) {
    const Map& map = context_.maps[factors_[i]];
    const int64_t size = map.channels * map.pixels();
    const double keep = 1 - network_.nodes[dropped_[i]].attributes().p;
    at::Tensor draws = at::empty({options_.images, size}, at::kFloat);
    draws.bernoulli_(keep, random).mul_(keep > 0 ? 1 / keep : 0);
    std::vector<int32_t> places;
    for (int64_t c = 0; c < map.channels; ++c)
      for (int64_t p = 0; p < map.pixels(); ++p)
        places.push_back(static_cast<int32_t>(c * map.plane + p));
    for (int64_t b = 0; b < context_.blocks; ++b)
      context_.spread(draws.const_data_ptr<float>(), size, b, 0, size, places,
                      context_.plane(map, b, 0));
  }
}

at::Tensor Plan::logits() const {
  const int64_t classes = network_.program.classes, lanes = context_.lanes;
  at::Tensor all = at::empty({options_.images, classes}, at::kFloat);
  float* to = all.mutable_data_ptr<float>();
  for (int64_t i = 0; i < options_.images; ++i)
    for (int64_t j = 0; j < classes; ++j)
      *to++ = logits_.data()[(i / lanes * classes + j) * lanes + i % lanes];
  return all;
}

}  // namespace splitgrow::engine
