// A network's program for few images in evaluation mode: maps with channels
// innermost, so that one image fills the lanes of a vector too. Batch norm is
// folded into weights that are packed once.
#pragma once

#include "engine/arena.h"
#include "engine/few/writer.h"

namespace splitgrow::engine::few {

class Plan {
 public:
  Plan(const Network& network, const Table& table, Memory* memory);

  // Multiply-adds of an image.
  double work() const { return work_; }
  // Whether 32 bits count all floats of a map of so many images.
  bool takes(int64_t images) const;
  // Takes the network's weights and running statistics as they are now.
  void pack();
  // Logits of n images [n, C, H, W] in channels_last order: rows that are
  // step() floats apart, valid until another plan uses the memory. `team`:
  // null for the calling thread alone. The bits depend on neither.
  const float* run(const float* images, int64_t n, Team* team);
  int64_t step() const { return shared_.maps[slots_.back()].step; }

 private:
  int addMap(int64_t channels, int64_t height, int64_t width);
  void addNode(int node);
  // The only reader of what `node` gives, if it is of that kind.
  int soleReader(int node, Loops kind) const;
  void place();
  void takeImages(int64_t n);

  const Network& network_;
  Memory& memory_;
  Shared shared_;
  std::vector<std::vector<int>> readers_;  // nodes, by slot
  std::vector<int> slots_;                 // the map of each; the output last
  std::vector<bool> isAbsorbed_;           // by node
  std::vector<WriterPtr> writers_;
  std::vector<Stage> stages_;
  std::vector<const Stage*> order_;
  Places places_;
  double work_ = 0;
  int64_t most_ = 0;         // images that were prepared for
  bool readsImages_ = true;  // as they lie, by those who read single floats
};

}  // namespace splitgrow::engine::few
