// Passes of an engine over few images (few/plan.h).
#include <algorithm>

#include "engine/engine.h"

namespace splitgrow::engine {

namespace {

using at::Tensor;

// Multiply-adds of a pass over few images from which on a team of threads is
// worth its waiting, beside other work too: some 5 ms of one thread.
constexpr double kSharedWork = 300e6;

}  // namespace

few::Plan* Engine::fewPlan() {
  if (few_ == nullptr)
    few_ = std::make_unique<few::Plan>(network_, pick(), &memory_);
  return few_.get();
}

bool Engine::isFew(int64_t images) {
  return 2 * images <= pick().lanes && fewPlan()->takes(images);
}

const float* Engine::runFew(const Tensor& images) {
  few::Plan* const plan = fewPlan();
  if (!isPacked_) plan->pack();
  isPacked_ = true;
  const Tensor pixels = pixelsOf(images);
  const int64_t n = images.size(0);
  const double work = plan->work() * static_cast<double>(n);
  return plan->run(pixels.const_data_ptr<float>(), n,
                   threads_ > 1 && work > kSharedWork ? team() : nullptr);
}

bool Engine::isBest(int64_t images) {
  if (isFew(images)) return few_->work() <= pick().few.mostWork;
  return 2 * images >= pick().lanes;
}

Summary Engine::evaluateFew(const Tensor& images, const Tensor& labels) {
  const int64_t n = images.size(0), lanes = pick().lanes;
  const int64_t classes = network_.program.classes;
  const float* rows = runFew(images);
  logits_.reserve(classes * lanes);
  for (int64_t j = 0; j < classes; ++j)
    for (int64_t i = 0; i < lanes; ++i)
      logits_.data()[j * lanes + i] = i < n ? rows[i * few_->step() + j] : 0.0f;
  Outputs outputs;
  outputs.losses.resize(lanes);
  outputs.ranks.resize(lanes);
  const Tensor own = labels.contiguous();
  pick().crossEntropy(logits_.data(), 1, classes, own.const_data_ptr<int64_t>(),
                      n, 0, 1, outputs.losses.data(), outputs.ranks.data(),
                      nullptr, 1);
  return summaryOf(outputs, n);
}

Tensor Engine::fewLogits(const Tensor& images) {
  const float* rows = runFew(images);
  const int64_t n = images.size(0), classes = network_.program.classes;
  Tensor all = at::empty({n, classes}, at::kFloat);
  for (int64_t i = 0; i < n; ++i)
    std::copy_n(rows + i * few_->step(), classes,
                all.mutable_data_ptr<float>() + i * classes);
  return all;
}

}  // namespace splitgrow::engine
