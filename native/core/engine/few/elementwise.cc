// Nodes of few images that work channel by channel: batch norm and activations
// that stand alone, sums, pools, means and flatten. A unit is one image, or one
// row of pixels of a pool.
#include "engine/few/writer.h"

namespace splitgrow::engine::few {

namespace {

// Writes one image at a time.
class ByImage : public Writer {
 public:
  using Writer::Writer;
  int64_t units() const override { return shared_.images; }
  void run(int64_t unit) override {
    float* to = out().data + unit * out().size();
    write(unit, to);
    act(to, out().pixels(), out().step);
  }

 protected:
  virtual void write(int64_t image, float* to) = 0;
  const float* image(size_t i, int64_t n) const {
    return in(i).data + n * in(i).size();
  }
};

class Norm : public ByImage {
 public:
  Norm(Shared* shared, int node_, Ends ends)
      : ByImage(shared, node_, std::move(ends)) {
    scale_.reserve(out().step);
    shift_.reserve(out().step);
  }
  void pack() override {
    const int64_t channels = out().channels;
    const Affine affine = affineOf(shared_.network, -1, node_, channels);
    std::fill_n(scale_.data(), out().step, 0.0f);
    std::fill_n(shift_.data(), out().step, 0.0f);
    for (int64_t c = 0; c < channels; ++c) {
      scale_.data()[c] = static_cast<float>(affine.scale[c]);
      shift_.data()[c] = static_cast<float>(affine.shift[c]);
    }
  }

 protected:
  void write(int64_t n, float* to) override {
    loops().affine(image(0, n), out().pixels(), out().step, scale_.data(),
                   shift_.data(), to);
  }

 private:
  Buffer scale_, shift_;
};

class Sum : public ByImage {
 public:
  using ByImage::ByImage;

 protected:
  void write(int64_t n, float* to) override {
    std::copy_n(image(0, n), out().size(), to);
    for (size_t i = 1; i < ends_.inputs.size(); ++i)
      loops().add(image(i, n), out().size(), to);
  }
};

class GlobalMean : public ByImage {
 public:
  using ByImage::ByImage;

 protected:
  void write(int64_t n, float* to) override {
    loops().mean(image(0, n), in().pixels(), out().step, to);
  }
};

// From all channels of a pixel to all pixels of a channel.
class Flatten : public ByImage {
 public:
  using ByImage::ByImage;
  bool readsVectors() const override { return false; }

 protected:
  void write(int64_t n, float* to) override {
    const int64_t pixels = in().pixels(), channels = in().channels;
    const float* from = image(0, n);
    for (int64_t p = 0; p < pixels; ++p)
      for (int64_t c = 0; c < channels; ++c)
        to[c * pixels + p] = from[p * in().step + c];
    std::fill(to + pixels * channels, to + out().step, 0.0f);
  }
};

class Pooling : public Writer {
 public:
  Pooling(Shared* shared, int node_, Ends ends, bool isMax)
      : Writer(shared, node_, std::move(ends)), isMax_(isMax) {}
  int64_t units() const override { return shared_.images * out().height; }
  void run(int64_t unit) override {
    const Rows& to = out();
    const int64_t n = unit / to.height, y = unit % to.height;
    const Line line{windowOf(node().attributes().kernel),
                    in().data + n * in().size(), to.step, y,
                    to.data + n * to.size() + y * to.width * to.step};
    (isMax_ ? loops().maxPool : loops().avgPool)(line);
    act(line.y, to.width, to.step);
  }

 private:
  const bool isMax_;
};

}  // namespace

WriterPtr norm(Shared* shared, int node, Ends ends) {
  return std::make_unique<Norm>(shared, node, std::move(ends));
}
WriterPtr sum(Shared* shared, int node, Ends ends) {
  return std::make_unique<Sum>(shared, node, std::move(ends));
}
WriterPtr globalMean(Shared* shared, int node, Ends ends) {
  return std::make_unique<GlobalMean>(shared, node, std::move(ends));
}
WriterPtr flatten(Shared* shared, int node, Ends ends) {
  return std::make_unique<Flatten>(shared, node, std::move(ends));
}
WriterPtr pool(Shared* shared, int node, Ends ends, bool isMax) {
  return std::make_unique<Pooling>(shared, node, std::move(ends), isMax);
}

}  // namespace splitgrow::engine::few
