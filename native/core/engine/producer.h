// What writes a map: a node of the program as stages do it.
#pragma once

#include <memory>

#include "engine/context.h"
#include "engine/matrices.h"

namespace splitgrow::engine {

// A derivative that goes back to an input of a node.
struct Target {
  bool isWanted = false;
  bool adds = false;    // to those of other readers
  bool isLast = false;  // the map's derivative is then whole
};

// What a pass back wants of a node besides the derivatives of its inputs.
enum class Wanted : uint8_t {
  kNothing,
  kGradients,  // of its parameters
  kProducts,   // S v of its neurons
  kMatrices,   // S of its neurons, added to what is there
};

class Producer {
 public:
  Producer(Context* context, int node, std::vector<View> inputs, int out)
      : context_(*context),
        node_(node),
        inputs_(std::move(inputs)),
        out_(out) {}
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  virtual ~Producer() = default;

  int node() const { return node_; }
  const std::vector<View>& inputs() const { return inputs_; }
  int out() const { return out_; }

  // Whether it has work to do before each pass: weights in the order of tiles.
  virtual bool packs() const { return false; }
  virtual void pack() {}
  // Whether a stage of its own comes before forward and before backward: it
  // makes tensors of maps, and works on those when it ends.
  virtual bool usesTensors() const { return false; }
  virtual void addTensors(Stage*) {}
  virtual void addTensorsBack(Stage*, const std::vector<Target>&) {}
  virtual void addForward(Stage* stage) = 0;
  // `which` of the two buffers of partial gradients it may use.
  virtual void addBackward(Stage* stage, const std::vector<Target>& targets,
                           int which) = 0;
  // Whether the derivative of its input may take the place of that of its
  // output: each unit reads the second where it writes the first, and before.
  virtual bool isInPlace() const { return false; }
  // Before addBackward. `chain`: of products and matrices.
  void want(Wanted wanted, int chain = -1) {
    wanted_ = wanted;
    chain_ = chain;
  }
  // Of `rows` directions.
  void wantProducts(int chain, int64_t rows) {
    want(Wanted::kProducts, chain);
    count_ = rows;
  }
  // Of the matrices of all neurons from `from` on.
  void wantMatrices(int chain, int64_t from, int64_t count) {
    want(Wanted::kMatrices, chain);
    from_ = from;
    count_ = count;
  }
  Wanted wants() const { return wanted_; }
  // Whether it can give products and matrices.
  virtual bool splits() const { return false; }
  // Adds partial gradients up, in the stage after.
  virtual bool folds() const { return false; }
  virtual void addFold(Stage*) {}

 protected:
  Map& in(size_t i = 0) const { return context_.maps[inputs_[i].map]; }
  Map& out_map() const { return context_.maps[out_]; }
  const Node& instruction() const { return context_.network.nodes[node_]; }
  const Table& table() const { return context_.table; }
  // The neuron of a row of directions.
  int64_t ownerOf(int64_t row) const {
    const int64_t* owners = context_.inputs.owners[chain_];
    return owners == nullptr ? row : owners[row];
  }
  // h of pixels [at, at + n) for every row of directions, `stride` floats
  // apart; `unused` has room for n vectors.
  void readCurvature(int64_t block, int64_t at, int64_t n, float* unused,
                     float* h, int64_t stride) const {
    for (int64_t row = 0; row < count_; ++row) {
      const int64_t owner = ownerOf(row);
      if (row > 0 && ownerOf(row - 1) == owner)
        std::copy_n(h + (row - 1) * stride, n * context_.lanes,
                    h + row * stride);
      else
        context_.curvature(out_map(), block, owner, at, n, unused,
                           h + row * stride);
    }
  }
  // Where sums of the derivative of an input are kept, if they are wanted.
  bool keepsSums(size_t i, const Target& target) const {
    return target.isLast && context_.wantsGradients && in(i).needsSums();
  }

  Context& context_;
  const int node_;
  const std::vector<View> inputs_;
  const int out_;
  Wanted wanted_ = Wanted::kGradients;
  int chain_ = -1;
  int64_t from_ = 0, count_ = 0;
  std::unique_ptr<MatrixWork> matrices_;
};

using ProducerPtr = std::unique_ptr<Producer>;
// Convolutions and linear layers: the one that suits the node's numbers.
ProducerPtr convolution(Context* context, int node, const View& in, int out);
ProducerPtr flatProduct(Context* context, int node, const View& in, int out);
ProducerPtr depthwiseThree(Context* context, int node, const View& in, int out);
// Sums of values of maps; one input: a copy.
ProducerPtr sumOf(Context* context, int node, std::vector<View> in, int out);
ProducerPtr flatten(Context* context, int node, const View& in, int out);
// A value times the factors in the map `factors`.
ProducerPtr dropout(Context* context, int node, const View& in, int factors,
                    int out);
ProducerPtr pool(Context* context, int node, const View& in, bool isMax,
                 int out);
ProducerPtr globalMean(Context* context, int node, const View& in, int out);
// `isFlat`: inputs that are [n, C].
ProducerPtr foreign(Context* context, int node, std::vector<View> in,
                    std::vector<bool> isFlat, int out);

// Where partial gradients [parts][tiles] of a weight [outputs, taps] go, in the
// order of Outer's tiles, and how they become [outputs][taps].
class WeightParts {
 public:
  WeightParts(const Context& context, int64_t outputs, int64_t taps);
  int64_t vectors() const { return vectors_; }  // of one part
  // Adds up column u of tiles: `parts` parts that lie `stride` floats apart.
  int64_t columns() const;
  void fold(int64_t u, const float* partial, int64_t parts, int64_t stride,
            float* gradient) const;

 private:
  int64_t outputs_, taps_, tileOutputs_, tileTaps_, lanes_;
  std::vector<int64_t> begin_;  // first vector of a column of tiles
  int64_t vectors_ = 0;
};

// Where sums of a layer's gradients or products go.
float* foldsTo(const Context& context, const Producer& producer, Wanted wanted,
               int chain);

// n parts of nearly equal size, at most `most` each, as the loops cut them.
struct Cut {
  int64_t n, parts;
  Cut(int64_t n_, int64_t most) : n(n_), parts((n_ + most - 1) / most) {}
  int64_t at(int64_t i) const { return n * i / parts; }
  int64_t size(int64_t i) const { return at(i + 1) - at(i); }
};

// Weights [outputs][taps] in the order that a product's tiles read them.
template <class Weight>
void packTiles(const Table& table, int64_t outputs, int64_t taps,
               const Weight& weight, float* to) {
  const Cut outs(outputs, table.tile);
  for (int64_t t = 0; t < outs.parts; ++t)
    for (int64_t j = 0; j < taps; ++j)
      for (int64_t o = outs.at(t); o < outs.at(t + 1); ++o)
        *to++ = weight(o, j);
}

}  // namespace splitgrow::engine
