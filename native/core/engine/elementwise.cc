// Nodes that work channel by channel: sums, copies, flatten, dropout and pools.
// A unit is one channel of one block of the input.
#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

class Elementwise : public Producer {
 public:
  Elementwise(Context* context, int node, std::vector<View> inputs, int out)
      : Producer(context, node, std::move(inputs), out),
        channels_(in().channels),
        pixels_(in().pixels()) {
    Map& map = out_map();
    map.moments.resize(context->blocks, map.channels);
    for (int64_t b = 0; b < context->blocks; ++b)
      map.moments.counts[b] =
          static_cast<double>(context->imagesIn(b) * map.pixels());
    context->needScratch(3 * std::max(pixels_, map.pixels()) + 4);
  }

  void addForward(Stage* stage) override {
    stage->segments.push_back(
        {context_.blocks * channels_, [this](int64_t unit, float* scratch) {
           const int64_t b = unit / channels_, c = unit % channels_;
           forward(b, c, scratch + 2 * lanes());
           if (!context_.usesBatch || out_map().norm < 0) return;
           for (int64_t i = 0; i < ofEach(); ++i)
             keep(b, c * ofEach() + i, scratch);
         }});
  }

  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int) override {
    targets_ = targets;
    for (size_t i = 0; i < targets_.size(); ++i)
      if (keepsSums(i, targets_[i]))
        in(i).derivatives.resize(context_.blocks, channels_);
    stage->segments.push_back(
        {context_.blocks * channels_, [this](int64_t unit, float* scratch) {
           backward(unit / channels_, unit % channels_, scratch + 2 * lanes(),
                    scratch);
         }});
  }

 protected:
  // Channels of the output for one of the input.
  virtual int64_t ofEach() const { return 1; }
  virtual void forward(int64_t b, int64_t c, float* scratch) = 0;
  // Derivatives of the values that the first input has, from those of the
  // output in scratch memory.
  virtual void back(int64_t b, int64_t c, const float* dz, float* d) = 0;

  int64_t lanes() const { return context_.lanes; }
  float* out(int64_t b, int64_t c) const {
    return context_.plane(out_map(), b, c);
  }
  void value(size_t i, int64_t b, int64_t c, float* to) const {
    table().value(context_.reading(inputs_[i], c), context_.plane(in(i), b, c),
                  pixels_, to);
  }

  const int64_t channels_, pixels_;

 private:
  void keep(int64_t b, int64_t c, float* sums) {
    Map& map = out_map();
    float pivot = 0;
    table().moments(out(b, c), map.pixels(), {sums, &pivot, true});
    context_.keepMoments(&map, b, c, 1, sums, &pivot, b);
  }

  void backward(int64_t b, int64_t c, float* scratch, float* sums) {
    const Map& map = out_map();
    float* dz = scratch;
    float* d = dz + std::max(pixels_, map.pixels()) * lanes();
    for (int64_t i = 0; i < ofEach(); ++i)
      context_.derivative(map, b, c * ofEach() + i, 0, map.pixels(),
                          dz + i * map.pixels() * lanes());
    back(b, c, dz, d);
    for (size_t i = 0; i < targets_.size(); ++i) {
      const Target& target = targets_[i];
      if (!target.isWanted) continue;
      const bool keeps = keepsSums(i, target);
      if (keeps) std::fill_n(sums, 2 * lanes(), 0.0f);
      const View slope{inputs_[i].map, context_.slopeOf(inputs_[i])};
      table().contribute(
          context_.reading(slope, c), context_.plane(in(i), b, c), d, pixels_,
          target.adds, context_.gradients(in(i), b, c), keeps ? sums : nullptr);
      if (keeps) context_.keepDerivatives(&in(i), b, c, 1, sums);
    }
  }

  std::vector<Target> targets_;
};

class Sum : public Elementwise {
 public:
  using Elementwise::Elementwise;

 protected:
  void forward(int64_t b, int64_t c, float*) override {
    for (size_t i = 0; i < inputs_.size(); ++i)
      table().addValue(context_.reading(inputs_[i], c),
                       context_.plane(in(i), b, c), pixels_, i == 0, out(b, c));
  }
  void back(int64_t, int64_t, const float* dz, float* d) override {
    std::copy_n(dz, pixels_ * lanes(), d);
  }
};

// Channel c becomes consecutive features.
class Flatten : public Elementwise {
 public:
  using Elementwise::Elementwise;

 protected:
  int64_t ofEach() const override { return pixels_; }
  void forward(int64_t b, int64_t c, float*) override {
    value(0, b, c, out(b, c * pixels_));
  }
  void back(int64_t, int64_t, const float* dz, float* d) override {
    std::copy_n(dz, pixels_ * lanes(), d);
  }
};

class Dropout : public Elementwise {
 public:
  Dropout(Context* context, int node, const View& in, int factors, int out)
      : Elementwise(context, node, {in}, out), factors_(factors) {}

 protected:
  void forward(int64_t b, int64_t c, float* scratch) override {
    value(0, b, c, scratch);
    table().multiply(scratch, factors(b, c), pixels_, out(b, c));
  }
  void back(int64_t b, int64_t c, const float* dz, float* d) override {
    table().multiply(dz, factors(b, c), pixels_, d);
  }

 private:
  const float* factors(int64_t b, int64_t c) const {
    return context_.plane(context_.maps[factors_], b, c);
  }
  const int factors_;
};

class Pooling : public Elementwise {
 public:
  Pooling(Context* context, int node, const View& view, bool isMax, int out)
      : Elementwise(context, node, {view}, out), isMax_(isMax) {
    const Attributes& a = instruction().attributes();
    const Map &from = in(), &to = out_map();
    pool_ = {a.kernel,   a.stride,  a.padding, from.height,
             from.width, to.height, to.width};
  }

 protected:
  void forward(int64_t b, int64_t c, float* scratch) override {
    value(0, b, c, scratch);
    (isMax_ ? table().maxPool : table().avgPool)(pool_, scratch, out(b, c));
  }
  void back(int64_t b, int64_t c, const float* dz, float* d) override {
    if (!isMax_) return table().avgPoolBack(pool_, dz, d);
    float* x = d + pixels_ * lanes();
    value(0, b, c, x);
    table().maxPoolBack(pool_, x, dz, d);
  }

 private:
  const bool isMax_;
  Pool pool_;
};

class GlobalMean : public Elementwise {
 public:
  using Elementwise::Elementwise;

 protected:
  void forward(int64_t b, int64_t c, float*) override {
    table().mean(context_.reading(inputs_[0], c), context_.plane(in(), b, c),
                 pixels_, out(b, c));
  }
  void back(int64_t, int64_t, const float* dz, float* d) override {
    table().repeat(dz, 1.0f / static_cast<float>(pixels_), pixels_, d);
  }
};

}  // namespace

ProducerPtr sumOf(Context* context, int node, std::vector<View> in, int out) {
  return std::make_unique<Sum>(context, node, std::move(in), out);
}
ProducerPtr flatten(Context* context, int node, const View& in, int out) {
  return std::make_unique<Flatten>(context, node, std::vector<View>{in}, out);
}
ProducerPtr dropout(Context* context, int node, const View& in, int factors,
                    int out) {
  return std::make_unique<Dropout>(context, node, in, factors, out);
}
ProducerPtr pool(Context* context, int node, const View& in, bool isMax,
                 int out) {
  return std::make_unique<Pooling>(context, node, in, isMax, out);
}
ProducerPtr globalMean(Context* context, int node, const View& in, int out) {
  return std::make_unique<GlobalMean>(context, node, std::vector<View>{in},
                                      out);
}

}  // namespace splitgrow::engine
