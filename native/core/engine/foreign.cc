// An op that the engine lacks: its row of the op table works on whole tensors,
// which are made of maps before and become maps after it.
#include "engine/foreign.h"

#include <cstdlib>

#include "engine/producer.h"
#include "tensor/error.h"

namespace splitgrow::engine {

namespace {

using at::Tensor;

bool isNamed(const char* list, const std::string& name) {
  return list != nullptr &&
         ("," + std::string(list) + ",").find("," + name + ",") !=
             std::string::npos;
}

class Foreign : public Producer {
 public:
  Foreign(Context* context, int node, std::vector<View> inputs,
          std::vector<bool> isFlat, int out)
      : Producer(context, node, std::move(inputs), out),
        isFlat_(std::move(isFlat)) {
    for (size_t i = 0; i < inputs_.size(); ++i) values_.push_back(dense(in(i)));
    derivative_ = dense(out_map());
    Map& map = out_map();
    map.moments.resize(context->blocks, map.channels);
    for (int64_t b = 0; b < context->blocks; ++b)
      map.moments.counts[b] =
          static_cast<double>(context->imagesIn(b) * map.pixels());
    context->needScratch(2);
  }

  bool usesTensors() const override { return true; }

  void addTensors(Stage* stage) override {
    for (size_t i = 0; i < inputs_.size(); ++i)
      stage->segments.push_back(
          {context_.blocks * in(i).channels, [this, i](int64_t unit, float*) {
             const int64_t b = unit / in(i).channels, c = unit % in(i).channels;
             table().value(context_.reading(inputs_[i], c),
                           context_.plane(in(i), b, c), in(i).pixels(),
                           planeOf(values_[i], in(i), unit));
           }});
    stage->finish = [this] {
      images_.clear();
      for (size_t i = 0; i < inputs_.size(); ++i)
        images_.push_back(toImages(values_[i], in(i), isFlat_[i]));
      const Tensor y = instruction().instruction->op->forward(
          instruction(), images_, run(), &saved_);
      shape_ = y.sizes().vec();
      result_ = toLanes(y, out_map());
    };
  }

  void addForward(Stage* stage) override {
    stage->segments.push_back(
        {context_.blocks * out_map().channels,
         [this](int64_t unit, float* sums) {
           Map& map = out_map();
           const int64_t b = unit / map.channels, c = unit % map.channels;
           std::copy_n(planeOf(result_, map, unit),
                       map.pixels() * context_.lanes,
                       context_.plane(map, b, c));
           if (!context_.usesBatch || map.norm < 0) return;
           float pivot = 0;
           table().moments(context_.plane(map, b, c), map.pixels(),
                           {sums, &pivot, true});
           context_.keepMoments(&map, b, c, 1, sums, &pivot, b);
         }});
  }

  void addTensorsBack(Stage* stage,
                      const std::vector<Target>& targets) override {
    stage->segments.push_back(
        {context_.blocks * out_map().channels, [this](int64_t unit, float*) {
           const Map& map = out_map();
           context_.derivative(map, unit / map.channels, unit % map.channels, 0,
                               map.pixels(), planeOf(derivative_, map, unit));
         }});
    stage->finish = [this, targets] {
      const bool wantsInput =
          std::any_of(targets.begin(), targets.end(),
                      [](const Target& each) { return each.isWanted; });
      const Tensor g = toImages(derivative_, out_map(), shape_.size() == 2);
      const Tensors back = instruction().instruction->op->backward(
          instruction(), g, images_, saved_, run(), wantsInput);
      gradients_.assign(inputs_.size(), Tensor());
      for (size_t i = 0; i < inputs_.size(); ++i)
        if (targets[i].isWanted) gradients_[i] = toLanes(back[i], in(i));
      images_.clear();
      saved_.clear();
    };
  }

  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int) override {
    // A map that is read twice gets one contribution after the other.
    std::vector<std::vector<size_t>> readers(context_.maps.size());
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (targets[i].isWanted) readers[inputs_[i].map].push_back(i);
    for (const std::vector<size_t>& inputs : readers) {
      if (inputs.empty()) continue;
      if (keepsSums(inputs.back(), targets[inputs.back()]))
        in(inputs.back())
            .derivatives.resize(context_.blocks, in(inputs.back()).channels);
      stage->segments.push_back(
          {context_.blocks * in(inputs[0]).channels,
           [this, inputs, targets](int64_t unit, float* sums) {
             for (const size_t i : inputs)
               contribute(i, targets[i], unit, sums);
           }});
    }
  }

  // Its row has set the gradients by then.
  bool folds() const override {
    return wanted_ == Wanted::kGradients && !instruction().gradients.empty();
  }

 private:
  void contribute(size_t i, const Target& target, int64_t unit, float* sums) {
    Map& map = in(i);
    const int64_t b = unit / map.channels, c = unit % map.channels;
    const bool keeps = keepsSums(i, target);
    if (keeps) std::fill_n(sums, 2 * context_.lanes, 0.0f);
    const View slope{inputs_[i].map, context_.slopeOf(inputs_[i])};
    table().contribute(context_.reading(slope, c), context_.plane(map, b, c),
                       planeOf(gradients_[i], map, unit), map.pixels(),
                       target.adds, context_.gradients(map, b, c),
                       keeps ? sums : nullptr);
    if (keeps) context_.keepDerivatives(&map, b, c, 1, sums);
  }
  Run run() const {
    Run run;
    run.isTraining = context_.usesBatch;
    run.statisticsMomentum = context_.inputs.statisticsMomentum;
    return run;
  }
  // [blocks, channels, height, width, lanes], without gaps.
  Tensor dense(const Map& map) const {
    return at::zeros(
        {context_.blocks, map.channels, map.height, map.width, context_.lanes},
        at::kFloat);
  }
  float* planeOf(const Tensor& all, const Map& map, int64_t unit) const {
    return all.mutable_data_ptr<float>() + unit * map.pixels() * context_.lanes;
  }
  Tensor toImages(const Tensor& all, const Map& map, bool isFlat) const {
    const Tensor images = all.permute({0, 4, 1, 2, 3})
                              .reshape({context_.blocks * context_.lanes,
                                        map.channels, map.height, map.width})
                              .narrow(0, 0, context_.n);
    return isFlat ? images.reshape({context_.n, map.channels})
                  : images.contiguous(at::MemoryFormat::ChannelsLast);
  }
  Tensor toLanes(const Tensor& images, const Map& map) const {
    Tensor all = at::zeros(
        {context_.blocks * context_.lanes, map.channels, map.height, map.width},
        at::kFloat);
    all.narrow(0, 0, context_.n)
        .copy_(
            images.reshape({context_.n, map.channels, map.height, map.width}));
    return all
        .view({context_.blocks, context_.lanes, map.channels, map.height,
               map.width})
        .permute({0, 2, 3, 4, 1})
        .contiguous();
  }

  const std::vector<bool> isFlat_;
  std::vector<Tensor> values_, gradients_;
  Tensor derivative_, result_;
  Tensors images_;
  Saved saved_;
  std::vector<int64_t> shape_;
};

}  // namespace

Loops loopsOf(const Op& op) {
  return isNamed(std::getenv("SPLITGROW_ENGINE_WITHOUT"), op.name)
             ? Loops::kNone
             : op.loops;
}

bool isForeign(const Op& op) {
  return loopsOf(op) == Loops::kNone && !op.isNorm && !op.isActivation &&
         !op.isRandom;
}

std::vector<int64_t> shapeOf(const Node& node,
                             const std::vector<std::vector<int64_t>>& inputs) {
  Tensors images;
  for (const std::vector<int64_t>& each : inputs) {
    Tensor x = at::zeros(each, at::kFloat);
    images.push_back(x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast)
                                  : x);
  }
  const Tensor y = node.instruction->op->forward(node, images, Run(), nullptr);
  require(y.dim() == 4 || y.dim() == 2, "E_INTERNAL", node.instruction->id,
          ": expected maps or vectors, found ", y.dim(), " axes");
  return y.sizes().vec();
}

ProducerPtr foreign(Context* context, int node, std::vector<View> inputs,
                    std::vector<bool> isFlat, int out) {
  return std::make_unique<Foreign>(context, node, std::move(inputs),
                                   std::move(isFlat), out);
}

}  // namespace splitgrow::engine
