// What writes a map of few images: a node of the program with the batch norm
// and the activation behind it, in evaluation mode.
#pragma once

#include <memory>

#include "engine/context.h"

namespace splitgrow::engine::few {

// A map as kernels/few.h has it.
struct Rows {
  int64_t channels = 0, height = 1, width = 1;
  int64_t step = 0;  // floats from pixel to pixel
  float* data = nullptr;
  int64_t pixels() const { return height * width; }
  int64_t size() const { return pixels() * step; }  // of an image
};

// What all writers of a plan share.
struct Shared {
  const Network& network;
  const Table& table;
  int64_t images = 0;  // of this pass
  std::vector<Rows> maps;
  Buffer zeros;  // a row that is as long as the longest

  const PixelLoops& loops() const { return table.few; }
  int64_t padded(int64_t channels) const {
    return (channels + table.lanes - 1) / table.lanes * table.lanes;
  }
};

struct Ends {
  std::vector<int> inputs;
  int out = 0;
  int norm = -1;  // node; -1: none
  Act act = Act::kIdentity;
};

class Writer {
 public:
  Writer(Shared* shared, int node, Ends ends)
      : shared_(*shared), node_(node), ends_(std::move(ends)) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;

  const Ends& ends() const { return ends_; }
  // Whether it reads an input by whole vectors.
  virtual bool readsVectors() const { return true; }
  // Takes the weights as they are now.
  virtual void pack() {}
  // To be called once there are more images than before.
  virtual void prepare() {}
  // Parts of a pass that do not depend on each other.
  virtual int64_t units() const = 0;
  virtual void run(int64_t unit) = 0;

 protected:
  const Rows& in(size_t i = 0) const { return shared_.maps[ends_.inputs[i]]; }
  const Rows& out() const { return shared_.maps[ends_.out]; }
  const Node& node() const { return shared_.network.nodes[node_]; }
  const PixelLoops& loops() const { return shared_.loops(); }
  void act(float* y, int64_t rows, int64_t count) const {
    if (ends_.act != Act::kIdentity)
      loops().act(ends_.act, y, rows, count, out().step);
  }
  Window windowOf(int64_t kernel) const {
    const Attributes& a = node().attributes();
    return {kernel,     a.stride,     a.padding,  in().height,
            in().width, out().height, out().width};
  }

  Shared& shared_;
  const int node_;
  const Ends ends_;
};

using WriterPtr = std::unique_ptr<Writer>;
WriterPtr dense(Shared* shared, int node, Ends ends);
WriterPtr depthwise(Shared* shared, int node, Ends ends);
WriterPtr norm(Shared* shared, int node, Ends ends);
WriterPtr sum(Shared* shared, int node, Ends ends);  // of one input: a copy
WriterPtr pool(Shared* shared, int node, Ends ends, bool isMax);
WriterPtr globalMean(Shared* shared, int node, Ends ends);
WriterPtr flatten(Shared* shared, int node, Ends ends);

// What a layer's outputs are multiplied with, and what is added then: its bias
// and the batch norm behind it.
struct Affine {
  std::vector<double> scale, shift;
};
Affine affineOf(const Network& network, int layer, int norm, int64_t channels);

}  // namespace splitgrow::engine::few
