// A network's program as stages over maps, for minibatches of one size.
#pragma once

#include "engine/arena.h"
#include "engine/kept.h"
#include "engine/producer.h"

namespace splitgrow::engine {

enum class Goal : uint8_t {
  kValues,     // forward alone
  kGradients,  // of all parameters
  kProducts,   // S v of the neurons of some chains
  kMatrices,   // S of some neurons of some chains
};

struct PlanOptions {
  Goal goal = Goal::kValues;
  int64_t images = 1;
  bool usesBatch = false;    // batch norm takes the minibatch's statistics
  bool hasDropout = false;   // dropout drops
  std::vector<bool> chains;  // of products and matrices: whose are wanted
  // By chain: the neurons of matrices; the rows of directions of products.
  struct Neurons {
    int64_t from = 0, count = 0;
    bool operator==(const Neurons&) const = default;
  };
  std::vector<Neurons> neurons;
  // Of products: what is kept of chains; empty: nothing.
  std::vector<Form> kept;
  bool isNarrow = false;  // wide layers multiply in bfloat16
  bool operator==(const PlanOptions&) const = default;
};

class Plan {
 public:
  Plan(const Network& network, const Table& table, const PlanOptions& options,
       Memory* memory);

  const PlanOptions& options() const { return options_; }
  int64_t scratch() const { return context_.scratch; }
  Inputs& inputs() { return context_.inputs; }
  const Outputs& outputs() const { return context_.outputs; }
  // To be called before each pass: other plans may have moved the memory.
  void takeMemory();
  // Stages of a pass; in training there are derivatives behind it.
  const std::vector<const Stage*>& stages() const { return order_; }
  // Positions of a chain's neurons.
  int64_t pixelsOf(int chain) const {
    const Chain& of = network_.program.chains[chain];
    return context_.maps[slots_[of.end() + 1].view.map].pixels();
  }
  // Whether it reaches its goal: products are not made of chains whose values
  // are read before their activation too.
  bool isPossible() const { return isPossible_; }
  // Draws the factors of all nodes that drop values, as their row of the op
  // table does.
  void drop(const at::Generator& random);
  // [n, classes], of the latest pass.
  at::Tensor logits() const;

 private:
  struct Slot {
    View view;
    bool isSole = false;  // one node alone reads it, and it is no output
    bool isFlat = false;  // [n, C], not [n, C, H, W]
  };
  void addNode(int node);
  void addNorm(int node, int slot);
  int addMap(int64_t channels, int64_t height, int64_t width);
  void addProducer(ProducerPtr producer);
  // Chooses what producers give besides derivatives, and where those go.
  void chooseWanted();
  bool chooseChain(int chain);
  Form formOf(size_t chain) const {
    return options_.kept.empty() ? Form::kNone : options_.kept[chain];
  }
  // In the stage in which the derivatives of its output are whole.
  void addKeeping(Stage* stage, const Producer& layer);
  Slot copied(int node, const Slot& slot);
  void addForeign(int node);
  void planForward();
  void planBackward();
  void placeMaps();
  Stage* addStage();
  void addPreparation();
  void addLoss();
  void readImages(int64_t block, int64_t part) const;
  void lossOf(int64_t block, float* scratch);

  const Network& network_;
  const PlanOptions options_;
  Context context_;
  std::vector<int> readers_;
  std::vector<Slot> slots_;
  std::vector<ProducerPtr> producers_;
  std::vector<int> keeping_;     // by map: the chain whose inputs are kept; -1
  std::vector<bool> isTrained_;  // by map: something wanted comes before it
  std::vector<int> dropped_, factors_;
  std::vector<std::unique_ptr<Stage>> stages_;
  std::vector<const Stage*> order_;
  std::vector<int32_t> places_;  // of the numbers of an image
  std::vector<Life> lives_;      // of each map's z, and of its g
  std::vector<Life> livesBack_;
  std::vector<int> homes_;  // by map: whose g's place its own has; -1: none
  Target loss_;
  bool isPossible_ = true;
  Places kept_, passing_;
  Buffer logits_;
};

}  // namespace splitgrow::engine
