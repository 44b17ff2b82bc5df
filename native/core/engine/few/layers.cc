// Convolutions and linear layers of few images. Batch norm goes into the
// packed weights.
#include <cmath>

#include "engine/few/writer.h"
#include "engine/producer.h"

namespace splitgrow::engine::few {

namespace {

// Bytes of the input that a unit reads, and of weights that stay in a cache
// from unit to unit.
constexpr int64_t kUnitBytes = 96 << 10, kStayBytes = 256 << 10;
constexpr int64_t kLeastRows = 24;

class Layer : public Writer {
 public:
  Layer(Shared* shared, int node_, Ends ends)
      : Writer(shared, node_, std::move(ends)),
        kernel_(weight().dim() == 4 ? weight().size(2) : 1),
        co_(out().channels) {
    biases_.reserve(out().step);
  }

 protected:
  const at::Tensor& weight() const { return node().parameters[0]; }
  int64_t taps() const { return kernel_ * kernel_; }
  // Packs the biases, and gives the scales of the weights.
  std::vector<double> packBiases() {
    Affine affine = affineOf(shared_.network, node_, ends_.norm, co_);
    std::fill_n(biases_.data(), out().step, 0.0f);
    for (int64_t o = 0; o < co_; ++o)
      biases_.data()[o] = static_cast<float>(affine.shift[o]);
    return std::move(affine.scale);
  }

  const int64_t kernel_, co_;
  Buffer weights_, biases_;
};

// Any convolution, as a product for each tap. Outputs of several groups share
// a vector: it reads the inputs of all of them, with weights that are 0 where
// they are of another group.
class DenseLayer : public Layer {
 public:
  DenseLayer(Shared* shared, int node_, Ends ends)
      : Layer(shared, node_, std::move(ends)),
        groups_(node().attributes().groups),
        inputs_(in().channels / groups_),
        lanes_(shared->table.lanes),
        tiles_(out().step / lanes_, loops().tile) {
    int64_t all = 0;
    for (int64_t t = 0; t < tiles_.parts; ++t) {
      const int64_t last = std::min(co_, tiles_.at(t + 1) * lanes_) - 1;
      const int64_t each = co_ / groups_;
      const int64_t from = tiles_.at(t) * lanes_ / each * inputs_;
      const int64_t to = (last / each + 1) * inputs_;
      parts_.push_back({all, from, to - from});
      all += taps() * (to - from) * tiles_.size(t) * lanes_;
    }
    weights_.reserve(all);
    const Attributes& a = node().attributes();
    isPlain_ = kernel_ == 1 && a.stride == 1 && a.padding == 0;
    const int64_t bytes = in().channels * static_cast<int64_t>(sizeof(float)) *
                          (isPlain_ ? 1 : a.stride * a.stride);
    // Weights that do not stay are read once.
    chunk_ = all * static_cast<int64_t>(sizeof(float)) > kStayBytes
                 ? INT64_MAX
                 : std::max(kLeastRows, kUnitBytes / bytes);
  }

  bool readsVectors() const override { return false; }

  void pack() override {
    const std::vector<double> scale = packBiases();
    for (int64_t t = 0; t < tiles_.parts; ++t) {
      const Part& part = parts_[t];
      if (groups_ > 1)
        std::fill_n(weights_.data() + part.weights,
                    taps() * part.channels * tiles_.size(t) * lanes_, 0.0f);
      for (int64_t v = 0; v < tiles_.size(t); ++v) packVector(t, v, scale);
    }
  }

  void prepare() override {
    if (isPlain_) return;
    const Window w = windowOf(kernel_);
    places_.clear();
    places_.reserve(shared_.images * out().pixels() * taps());
    for (int64_t n = 0; n < shared_.images; ++n)
      for (int64_t y = 0; y < w.ho; ++y)
        for (int64_t x = 0; x < w.wo; ++x)
          for (int64_t k = 0; k < taps(); ++k) {
            const int64_t i = y * w.stride - w.padding + k / kernel_;
            const int64_t j = x * w.stride - w.padding + k % kernel_;
            const bool isThere = i >= 0 && i < w.hi && j >= 0 && j < w.wi;
            places_.push_back(static_cast<int32_t>(
                isThere ? n * in().size() + (i * w.wi + j) * in().step : -1));
          }
  }

  int64_t units() const override { return chunks().parts * tiles_.parts; }

  void run(int64_t unit) override {
    const Cut chunks_ = chunks();
    const int64_t c = unit / tiles_.parts, t = unit % tiles_.parts;
    const Part& part = parts_[t];
    const int64_t o0 = tiles_.at(t) * lanes_, vectors = tiles_.size(t);
    float* y = out().data + o0;
    loops().dense({{in().data, isPlain_ ? nullptr : places_.data(), taps(),
                    in().step, shared_.zeros.data()},
                   part.first,
                   part.channels,
                   weights_.data() + part.weights,
                   biases_.data() + o0,
                   vectors,
                   chunks_.at(c),
                   chunks_.at(c + 1),
                   y,
                   out().step});
    act(y + chunks_.at(c) * out().step, chunks_.size(c), vectors * lanes_);
  }

 private:
  // Of a tile: where its weights begin, and the inputs that it reads.
  struct Part {
    int64_t weights, first, channels;
  };
  // Weights of the outputs in the lanes of vector v of tile t. Some at a time,
  // so that they are read as they lie and written by whole vectors.
  void packVector(int64_t t, int64_t v, const std::vector<double>& scale) {
    constexpr int64_t kSome = 16, kMostLanes = 64;
    float some[kSome][kMostLanes] = {};
    const Part& part = parts_[t];
    const int64_t o0 = (tiles_.at(t) + v) * lanes_;
    const int64_t each = co_ / groups_, all = inputs_ * taps();
    const int64_t outputs = std::min(lanes_, co_ - o0);
    const float* from = weight().const_data_ptr<float>() + o0 * all;
    const auto to = [&](int64_t output, int64_t j) {
      const int64_t input =
          (o0 + output) / each * inputs_ - part.first + j / taps();
      return weights_.data() + part.weights +
             (((j % taps()) * part.channels + input) * tiles_.size(t) + v) *
                 lanes_;
    };
    for (int64_t j0 = 0; j0 < all; j0 += kSome) {
      const int64_t count = std::min(kSome, all - j0);
      for (int64_t o = 0; o < outputs; ++o) {
        const auto factor = static_cast<float>(scale[o0 + o]);
        for (int64_t j = 0; j < count; ++j)
          some[j][o] = from[o * all + j0 + j] * factor;
      }
      for (int64_t j = 0; j < count; ++j) {
        if (groups_ == 1)
          std::copy_n(some[j], lanes_, to(0, j0 + j));
        else
          for (int64_t o = 0; o < outputs; ++o) to(o, j0 + j)[o] = some[j][o];
      }
    }
  }
  Cut chunks() const {
    const int64_t rows = shared_.images * out().pixels();
    return {rows, std::min(rows, chunk_)};
  }

  const int64_t groups_, inputs_, lanes_;
  const Cut tiles_;
  std::vector<Part> parts_;
  bool isPlain_ = false;
  int64_t chunk_ = 0;
  std::vector<int32_t> places_;
};

class DepthwiseLayer : public Layer {
 public:
  DepthwiseLayer(Shared* shared, int node_, Ends ends)
      : Layer(shared, node_, std::move(ends)) {
    weights_.reserve(taps() * out().step);
  }

  void pack() override {
    const std::vector<double> scale = packBiases();
    const float* w = weight().const_data_ptr<float>();
    std::fill_n(weights_.data(), taps() * out().step, 0.0f);
    for (int64_t o = 0; o < co_; ++o)
      for (int64_t k = 0; k < taps(); ++k)
        weights_.data()[k * out().step + o] =
            *w++ * static_cast<float>(scale[o]);
  }

  int64_t units() const override { return shared_.images * out().height; }

  void run(int64_t unit) override {
    const Rows& to = out();
    const int64_t n = unit / to.height, y = unit % to.height;
    Line line{windowOf(kernel_), in().data + n * in().size(), to.step, y,
              to.data + n * to.size() + y * to.width * to.step};
    loops().depthwise(line, weights_.data(), biases_.data(),
                      shared_.zeros.data());
    act(line.y, to.width, to.step);
  }
};

}  // namespace

Affine affineOf(const Network& network, int layer, int norm, int64_t channels) {
  Affine all{std::vector<double>(channels, 1),
             std::vector<double>(channels, 0)};
  if (layer >= 0 && network.nodes[layer].parameters.size() > 1) {
    const float* bias =
        network.nodes[layer].parameters[1].const_data_ptr<float>();
    std::copy_n(bias, channels, all.shift.begin());
  }
  if (norm < 0) return all;
  const Node& node = network.nodes[norm];
  const auto of = [&](int which) {
    return node.parameters[which].const_data_ptr<float>();
  };
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = of(0)[c] / std::sqrt(of(3)[c] + node.attributes().eps);
    all.scale[c] = scale;
    all.shift[c] = (all.shift[c] - of(2)[c]) * scale + of(1)[c];
  }
  return all;
}

WriterPtr dense(Shared* shared, int node, Ends ends) {
  return std::make_unique<DenseLayer>(shared, node, std::move(ends));
}
WriterPtr depthwise(Shared* shared, int node, Ends ends) {
  return std::make_unique<DepthwiseLayer>(shared, node, std::move(ends));
}

}  // namespace splitgrow::engine::few
