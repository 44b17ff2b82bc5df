// Depthwise 3 x 3 convolutions with padding 1: a unit is one channel of one
// block.
#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

class DepthwiseThree : public Producer {
 public:
  DepthwiseThree(Context* context, int node, const View& view, int out)
      : Producer(context, node, {view}, out),
        channels_(in().channels),
        stride_(instruction().attributes().stride) {
    Map& map = out_map();
    map.moments.resize(context->blocks, channels_);
    for (int64_t b = 0; b < context->blocks; ++b)
      map.moments.counts[b] =
          static_cast<double>(context->imagesIn(b) * map.pixels());
    // Three rings of four rows; sums and the gradients of nine weights.
    context->needScratch(12 * (std::max(in().width, map.width) + 3) + 16);
  }

  void addForward(Stage* stage) override {
    stage->segments.push_back(
        {context_.blocks * channels_, [this](int64_t unit, float* scratch) {
           const int64_t b = unit / channels_, c = unit % channels_;
           Map& map = out_map();
           float pivot = 0;
           const bool wants = context_.usesBatch && map.norm >= 0;
           const Moments moments{wants ? scratch : nullptr, &pivot, true};
           table().depthwise(of(b, c), stride_, scratch + kSums * lanes(),
                             moments);
           if (wants) context_.keepMoments(&map, b, c, 1, scratch, &pivot, b);
         }});
  }

  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int which) override {
    target_ = targets[0];
    if (keepsSums(0, target_))
      in().derivatives.resize(context_.blocks, channels_);
    (void)which;
    partial_.resize(context_.blocks * channels_ * kWeights);
    stage->segments.push_back(
        {context_.blocks * channels_, [this](int64_t unit, float* scratch) {
           const int64_t b = unit / channels_, c = unit % channels_;
           const Map& map = out_map();
           const bool wants = wanted_ == Wanted::kGradients;
           float* w = wants ? scratch + 2 * lanes() : nullptr;
           if (wants) std::fill_n(w, kWeights * lanes(), 0.0f);
           DepthwiseBack back;
           back.g = context_.gradients(map, b, c);
           back.mean = map.mean[c];
           back.a = map.a[c];
           back.b = map.b[c];
           back.c = map.c[c];
           back.mask = context_.maskOf(b);
           back.gradient =
               target_.isWanted ? context_.gradients(in(), b, c) : nullptr;
           back.adds = target_.adds;
           back.isOuter = in().isOuter;
           back.sums = keepsSums(0, target_) ? scratch : nullptr;
           back.weights = w;
           table().depthwiseBack(of(b, c), stride_, back,
                                 scratch + kSums * lanes());
           if (back.sums != nullptr)
             context_.keepDerivatives(&in(), b, c, 1, back.sums);
           if (wants)
             table().fold(w, kWeights / 2, nullptr,
                          partial_.data() + unit * kWeights);
         }});
  }

  bool isInPlace() const override { return stride_ == 1; }
  bool folds() const override { return wanted_ == Wanted::kGradients; }
  void addFold(Stage* stage) override {
    stage->segments.push_back(
        {1, [this](int64_t, float*) {
           float* to = instruction().gradients[0].mutable_data_ptr<float>();
           for (int64_t c = 0; c < channels_; ++c)
             for (int64_t i = 0; i < 9; ++i) {
               double sum = 0;
               for (int64_t b = 0; b < context_.blocks; ++b)
                 sum += partial_[(b * channels_ + c) * kWeights + i];
               to[9 * c + i] = static_cast<float>(sum);
             }
         }});
  }

 private:
  static constexpr int64_t kWeights = 10;  // nine, and one for an even count
  static constexpr int64_t kSums = 12;     // vectors before the rings
  int64_t lanes() const { return context_.lanes; }
  Depthwise of(int64_t b, int64_t c) const {
    const auto& p = instruction().parameters;
    const Map &from = in(), &map = out_map();
    return {from.height,
            from.width,
            map.height,
            map.width,
            p[0].const_data_ptr<float>() + 9 * c,
            p.size() > 1 ? p[1].const_data_ptr<float>()[c] : 0.0f,
            context_.plane(from, b, c),
            context_.reading(inputs_[0], c),
            context_.plane(map, b, c)};
  }

  const int64_t channels_, stride_;
  Target target_;
  std::vector<double> partial_;
};

}  // namespace

ProducerPtr depthwiseThree(Context* context, int node, const View& in,
                           int out) {
  return std::make_unique<DepthwiseThree>(context, node, in, out);
}

}  // namespace splitgrow::engine
