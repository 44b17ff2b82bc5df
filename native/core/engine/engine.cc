// Chooses plans and runs them.
#include "engine/engine.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/foreign.h"
#include "tensor/error.h"

namespace splitgrow::engine {

namespace {

using at::Tensor;

// Sizes of minibatches that are kept ready; each has memory of its own.
constexpr size_t kMostPlans = 3;

bool isOff() {
  const char* const text = std::getenv("SPLITGROW_ENGINE");
  return text != nullptr && std::strcmp(text, "0") == 0;
}

// Few images are faster in float32 with no lane empty.
bool isNarrow(const Run& run, int64_t images) {
  return run.isNarrow && pickFor(images).lanes == pick().lanes;
}

// Loops for bfloat16 go with those of pick(), and so does what layers keep.
const Table& tableFor(const PlanOptions& options) {
  return options.goal == Goal::kGradients && !options.isNarrow
             ? pickFor(options.images)
             : pick();
}

}  // namespace

Summary summaryOf(const Outputs& outputs, int64_t images) {
  Summary all;
  all.images = images;
  for (int64_t i = 0; i < images; ++i) {
    all.loss += outputs.losses[i];
    all.hits += outputs.ranks[i] == 0 ? 1 : 0;
    all.hitsAmongFive += outputs.ranks[i] < 5 ? 1 : 0;
  }
  return all;
}

std::string setName() { return isOff() ? "" : pick().name; }

std::string narrowName() {
  return isOff() || pickNarrow() == nullptr ? "" : pickNarrow()->name;
}

bool takes(const Network& network, const Run& run) {
  if (run.isNarrow && pickNarrow() == nullptr) return false;
  if (isOff() || !network.device.is_cpu() || network.dtype != at::kFloat ||
      network.program.inputShape.size() != 3)
    return false;
  return std::all_of(network.nodes.begin(), network.nodes.end(),
                     [](const Node& node) {
                       const Op& op = *node.instruction->op;
                       return loopsOf(op) != Loops::kNone || isForeign(op);
                     });
}

std::vector<std::string> foreignOps(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes) {
    const Op& op = *node.instruction->op;
    if (isForeign(op) &&
        std::find(names.begin(), names.end(), op.name) == names.end())
      names.emplace_back(op.name);
  }
  return names;
}

Engine::Engine(const Network& network)
    : network_(network), threads_(at::get_num_threads()) {}

Team* Engine::team() {
  if (team_ == nullptr) team_ = std::make_unique<Team>(threads_);
  return team_.get();
}

Plan* Engine::planFor(const PlanOptions& options) {
  const auto found = std::find_if(
      plans_.begin(), plans_.end(),
      [&](const auto& plan) { return plan->options() == options; });
  if (found != plans_.end()) {
    std::rotate(found, found + 1, plans_.end());  // the latest last
  } else {
    if (plans_.size() == kMostPlans) plans_.erase(plans_.begin());
    // Matrices of other neurons are done.
    if (options.goal == Goal::kMatrices) plans_.clear();
    plans_.push_back(
        std::make_unique<Plan>(network_, tableFor(options), options, &memory_));
    team()->need(plans_.back()->scratch());
  }
  plans_.back()->takeMemory();
  return plans_.back().get();
}

Tensor Engine::pixelsOf(const Tensor& images) const {
  const auto& shape = network_.program.inputShape;
  require(images.dim() == 4 && images.size(1) == shape[0] &&
              images.size(2) == shape[1] && images.size(3) == shape[2],
          "E_DATA", "the network takes images of shape ",
          at::IntArrayRef(shape), ", found ", images.sizes());
  return images.permute({0, 2, 3, 1}).contiguous();
}

void Engine::run(Plan* plan, const Tensor& images, const Tensor& labels) {
  const Tensor rows = pixelsOf(images);
  const Tensor own = labels.defined() ? labels.contiguous() : labels;
  plan->inputs().images = rows.const_data_ptr<float>();
  plan->inputs().labels =
      own.defined() ? own.const_data_ptr<int64_t>() : nullptr;
  if (plan->options().usesBatch) isPacked_ = false;
  team()->run(plan->stages());
}

Summary Engine::train(const Tensor& images, const Tensor& labels,
                      const Run& run_, double smoothing, double share,
                      const OnGradients& onGradients) {
  Plan* const plan = planFor({Goal::kGradients,
                              images.size(0),
                              true,
                              run_.random.has_value(),
                              {},
                              {},
                              {},
                              isNarrow(run_, images.size(0))});
  Inputs inputs;
  inputs.smoothing = smoothing;
  inputs.share = share;
  inputs.statisticsMomentum = run_.statisticsMomentum;
  inputs.onGradients = onGradients;
  plan->inputs() = std::move(inputs);
  if (run_.random) plan->drop(*run_.random);
  run(plan, images, labels);
  return summaryOf(plan->outputs(), images.size(0));
}

Summary Engine::evaluate(const Tensor& images, const Tensor& labels,
                         bool usesBatch) {
  if (!usesBatch && isFew(images.size(0))) return evaluateFew(images, labels);
  Plan* const plan =
      planFor({Goal::kValues, images.size(0), usesBatch, false, {}, {}, {}});
  plan->inputs() = Inputs();
  plan->inputs().statisticsMomentum = 0.0;
  run(plan, images, labels);
  return summaryOf(plan->outputs(), images.size(0));
}

std::optional<Tensors> Engine::products(const Tensor& images,
                                        const Tensor& labels, double share,
                                        const std::vector<bool>& wanted,
                                        const Tensors& directions,
                                        const Tensors& owners, double beta,
                                        double constant, const Kept& kept) {
  const size_t chains = wanted.size();
  PlanOptions options{Goal::kProducts,
                      images.size(0),
                      false,
                      false,
                      wanted,
                      std::vector<PlanOptions::Neurons>(chains),
                      {}};
  for (size_t i = 0; i < chains; ++i)
    if (wanted[i]) options.neurons[i].count = directions[i].size(0);
  for (const auto& layer : kept)
    options.kept.push_back(layer ? layer->form() : Form::kNone);
  Plan* const plan = planFor(options);
  if (!plan->isPossible()) return std::nullopt;
  Inputs inputs;
  for (const auto& layer : kept) {
    if (layer) layer->add(images.size(0));
    inputs.kept.push_back(layer.get());
    inputs.matrices.push_back(layer ? layer->sums() : nullptr);
  }
  inputs.share = share;
  inputs.beta = static_cast<float>(beta);
  inputs.constant = static_cast<float>(constant);
  inputs.owners.resize(chains);
  inputs.directions.resize(chains);
  inputs.products.resize(chains);
  Tensors rows(chains), of(chains), products(chains);
  for (size_t i = 0; i < chains; ++i) {
    if (!wanted[i]) continue;
    rows[i] = directions[i].to(at::kFloat).contiguous();
    products[i] = at::zeros_like(rows[i]);  // a dead end keeps 0
    if (i < owners.size() && owners[i].defined()) {
      of[i] = owners[i].contiguous();
      inputs.owners[i] = of[i].const_data_ptr<int64_t>();
      require(
          std::is_sorted(inputs.owners[i], inputs.owners[i] + of[i].numel()),
          "E_INTERNAL", "directions are expected in the order of their ",
          "neurons");
    }
    inputs.directions[i] = rows[i].const_data_ptr<float>();
    inputs.products[i] = products[i].mutable_data_ptr<float>();
  }
  plan->inputs() = std::move(inputs);
  run(plan, images, labels);
  return products;
}

Kept Engine::layersToKeep(const std::vector<bool>& wanted, int64_t images,
                          int64_t batch, int64_t most) {
  const size_t chains = wanted.size();
  PlanOptions options{Goal::kProducts,
                      std::min(images, batch),
                      false,
                      false,
                      wanted,
                      std::vector<PlanOptions::Neurons>(chains),
                      {}};
  for (size_t i = 0; i < chains; ++i)
    options.neurons[i].count = network_.program.chains[i].neurons;
  const Plan plan(network_, pick(), options, &memory_);
  Kept kept(chains);
  if (!plan.isPossible()) return kept;
  std::vector<std::pair<int64_t, size_t>> order;
  for (size_t i = 0; i < chains; ++i) {
    if (!wanted[i]) continue;
    const Chain& chain = network_.program.chains[i];
    kept[i] =
        std::make_shared<KeptLayer>(pick(), chain.dimension, chain.neurons,
                                    plan.pixelsOf(static_cast<int>(i)),
                                    hasWindow(network_.nodes[chain.layer]));
    if (kept[i]->form() == Form::kNone)
      kept[i].reset();
    else
      order.emplace_back(kept[i]->bytes(images), i);
  }
  std::sort(order.begin(), order.end());
  int64_t left = most;
  for (const auto& [bytes, i] : order) {
    left -= bytes;
    if (left < 0) kept[i].reset();
  }
  return kept;
}

bool Engine::addMatrices(const Tensor& images, const Tensor& labels,
                         double share, const std::vector<Matrices>& blocks,
                         double beta, double constant) {
  const size_t chains = network_.program.chains.size();
  PlanOptions options{Goal::kMatrices,
                      images.size(0),
                      false,
                      false,
                      std::vector<bool>(chains),
                      {},
                      {}};
  options.neurons.resize(chains);
  Inputs inputs;
  inputs.share = share;
  inputs.beta = static_cast<float>(beta);
  inputs.constant = static_cast<float>(constant);
  inputs.matrices.resize(chains);
  for (const Matrices& block : blocks) {
    options.chains[block.chain] = true;
    options.neurons[block.chain] = {block.from, block.count};
    inputs.matrices[block.chain] = block.sums.mutable_data_ptr<float>();
  }
  Plan* const plan = planFor(options);
  if (!plan->isPossible()) return false;
  plan->inputs() = std::move(inputs);
  run(plan, images, labels);
  return true;
}

Tensor Engine::logits(const Tensor& images, const Run& run_) {
  if (!run_.isTraining && !run_.random && isFew(images.size(0)))
    return fewLogits(images);
  Plan* const plan = planFor({Goal::kValues,
                              images.size(0),
                              run_.isTraining,
                              run_.random.has_value(),
                              {},
                              {},
                              {}});
  plan->inputs() = Inputs();
  plan->inputs().statisticsMomentum = run_.statisticsMomentum;
  if (run_.random) plan->drop(*run_.random);
  run(plan, images, Tensor());
  return plan->logits();
}

std::unique_ptr<Engine> engineFor(const Network& network) {
  return takes(network) ? std::make_unique<Engine>(network) : nullptr;
}

}  // namespace splitgrow::engine
