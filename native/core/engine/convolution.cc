// Convolutions of any kernel, stride, padding and number of groups. A unit
// reads a band of rows with their borders into scratch memory, where a window
// is a list of offsets.
#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

// Bytes of a band: few channels fit the first cache, many the second.
constexpr int64_t kSmallBytes = 48 << 10, kLargeBytes = 256 << 10;
constexpr int64_t kFewChannels = 8;
constexpr int64_t kLeastUnits = 8;
// Memory of partial gradients of weights.
constexpr int64_t kPartialBytes = int64_t{1} << 20;
constexpr int64_t kLeastParts = 4;

int64_t floorDiv(int64_t a, int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

class Convolution : public Producer {
 public:
  Convolution(Context* context, int node, const View& view, int out)
      : Producer(context, node, {view}, out),
        groups_(instruction().attributes().groups),
        k_(instruction().parameters[0].size(2)),
        stride_(instruction().attributes().stride),
        padding_(instruction().attributes().padding),
        ci_(in().channels / groups_),
        co_(out_map().channels / groups_),
        hi_(in().height),
        wi_(in().width),
        ho_(out_map().height),
        wo_(out_map().width),
        width_(wi_ + 2 * padding_),
        taps_(ci_ * k_ * k_),
        parts_(*context, co_, taps_) {
    planForward();
    planBackward();
  }

  bool packs() const override { return true; }
  void pack() override {
    const float* w = weights();
    for (int64_t g = 0; g < groups_; ++g) {
      const float* own = w + g * co_ * taps_;
      packTiles(
          table(), co_, taps_,
          [&](int64_t o, int64_t j) { return own[o * taps_ + j]; },
          packed_.data() + g * co_ * taps_);
    }
    for (Phase& phase : phases_)
      for (int64_t g = 0; g < groups_; ++g) {
        const float* own = w + g * co_ * taps_;
        packTiles(
            table(), ci_, co_ * phase.taps(),
            [&](int64_t i, int64_t j) {
              return own[phase.weights[j] + i * k_ * k_];
            },
            phase.packed.data() + g * ci_ * co_ * phase.taps());
      }
    if (wanted_ != Wanted::kProducts) return;
    const float* v = context_.inputs.directions[chain_];
    packedDirections_.resize(count_ * taps_);
    packTiles(
        table(), count_, taps_,
        [&](int64_t o, int64_t tap) { return v[o * taps_ + tap]; },
        packedDirections_.data());
  }

  void addForward(Stage* stage) override {
    stage->segments.push_back(
        {context_.blocks * bands_, [this](int64_t unit, float* scratch) {
           forward(unit / bands_, unit % bands_, scratch);
         }});
  }

  void addBackward(Stage* stage, const std::vector<Target>& targets,
                   int which) override {
    target_ = targets[0];
    partial_ = &context_.memory.partial[which];
    directions_ = wanted_ == Wanted::kProducts ? count_ : co_;
    if (directions_ != co_) parts_ = {context_, directions_, taps_};
    context_.needScratch(ci_ * height_ * width_ +
                         (directions_ + 1) * rows_ * wo_);
    partial_->reserve(parts() * groups_ * parts_.vectors() * context_.lanes);
    if (wanted_ == Wanted::kMatrices) {
      matrices_ = std::make_unique<MatrixWork>(context_, from_, count_, taps_,
                                               context_.blocks * bands_);
      stage->segments.push_back(
          {matrices_->units(), [this](int64_t unit, float* scratch) {
             addMatrices(unit, scratch);
           }});
    } else if (wanted_ != Wanted::kNothing)
      stage->segments.push_back({parts(), [this](int64_t unit, float* scratch) {
                                   weightGradients(unit, scratch);
                                 }});
    if (!target_.isWanted) return;
    const int64_t units = context_.blocks * bandsBack_;
    if (keepsSums(0, target_)) in().derivatives.resize(units, in().channels);
    stage->segments.push_back({units, [this](int64_t unit, float* scratch) {
                                 inputGradients(unit / bandsBack_,
                                                unit % bandsBack_, scratch);
                               }});
  }

  bool splits() const override { return groups_ == 1; }
  bool folds() const override { return wanted_ != Wanted::kNothing; }
  void addFold(Stage* stage) override {
    if (wanted_ == Wanted::kMatrices)
      return matrices_->addFold(
          stage, [this] { return context_.inputs.matrices[chain_]; });
    const int64_t columns = parts_.columns();
    stage->segments.push_back(
        {groups_ * columns, [this, columns](int64_t unit, float*) {
           const int64_t g = unit / columns;
           const int64_t each = parts_.vectors() * context_.lanes;
           parts_.fold(
               unit % columns, partial_->data() + g * each, parts(),
               groups_ * each,
               foldsTo(context_, *this, wanted_, chain_) + g * co_ * taps_);
         }});
  }

 private:
  // Input rows and columns that the same weights reach: (row + padding) mod
  // stride is y, and of the columns x.
  struct Phase {
    int64_t y, x, ky, kx;                   // its taps, along both axes
    std::vector<int32_t> offsets, weights;  // of each tap of each output
    std::vector<float> packed;
    int64_t taps() const { return ky * kx; }
  };

  void planForward() {
    const int64_t lanes = context_.lanes;
    const int64_t row = ci_ * width_ * lanes * int64_t{sizeof(float)};
    const int64_t bytes = ci_ <= kFewChannels ? kSmallBytes : kLargeBytes;
    const int64_t most = std::max<int64_t>(1, (bytes / row - k_) / stride_ + 1);
    const int64_t wanted =
        (kLeastUnits + context_.blocks - 1) / context_.blocks;
    bands_ = std::min(ho_, std::max((ho_ + most - 1) / most, wanted));
    rows_ = (ho_ + bands_ - 1) / bands_;
    bands_ = (ho_ + rows_ - 1) / rows_;
    height_ = (rows_ - 1) * stride_ + k_;
    for (int64_t i = 0; i < ci_; ++i)
      for (int64_t y = 0; y < k_; ++y)
        for (int64_t x = 0; x < k_; ++x)
          offsets_.push_back(
              static_cast<int32_t>((i * height_ + y) * width_ + x));
    packed_.resize(groups_ * co_ * taps_);
    const int64_t window = ci_ * height_ * width_;
    context_.needScratch(window + (co_ + 1) * rows_ * wo_ +
                         3 * out_map().channels);
    Map& map = out_map();
    map.moments.resize(context_.blocks * bands_, map.channels);
    for (int64_t b = 0; b < context_.blocks; ++b)
      for (int64_t s = 0; s < bands_; ++s)
        map.moments.counts[b * bands_ + s] =
            static_cast<double>(context_.imagesIn(b) * rowsOf(s) * wo_);
  }
  int64_t rowsOf(int64_t band) const {
    return std::min(ho_, (band + 1) * rows_) - band * rows_;
  }

  void planBackward() {
    const int64_t reach = (k_ + stride_ - 1) / stride_;
    left_ = floorDiv(padding_, stride_) - (reach - 1);
    widthBack_ = floorDiv(wi_ - 1 + padding_, stride_) - left_ + 1;
    const int64_t row =
        co_ * widthBack_ * context_.lanes * int64_t{sizeof(float)};
    const int64_t bytes = co_ <= kFewChannels ? kSmallBytes : kLargeBytes;
    const int64_t most = std::max<int64_t>(1, (bytes / row - reach) * stride_);
    const int64_t wanted =
        (kLeastUnits + context_.blocks - 1) / context_.blocks;
    bandsBack_ = std::min(hi_, std::max((hi_ + most - 1) / most, wanted));
    rowsBack_ = (hi_ + bandsBack_ - 1) / bandsBack_;
    bandsBack_ = (hi_ + rowsBack_ - 1) / rowsBack_;
    heightBack_ = (rowsBack_ + stride_ - 1) / stride_ + reach;
    for (int64_t y = 0; y < stride_; ++y)
      for (int64_t x = 0; x < stride_; ++x) {
        Phase phase{y, x, tapsFrom(y), tapsFrom(x), {}, {}, {}};
        if (phase.taps() == 0) phase.ky = phase.kx = 0;
        for (int64_t o = 0; o < co_; ++o)
          for (int64_t a = 0; a < phase.ky; ++a)
            for (int64_t b = 0; b < phase.kx; ++b) {
              phase.offsets.push_back(
                  static_cast<int32_t>((o * heightBack_ - a) * widthBack_ - b));
              phase.weights.push_back(static_cast<int32_t>(
                  o * taps_ + (y + stride_ * a) * k_ + x + stride_ * b));
            }
        phase.packed.resize(groups_ * ci_ * co_ * phase.taps());
        phases_.push_back(std::move(phase));
      }
    context_.needScratch(co_ * heightBack_ * widthBack_ +
                         ci_ * rowsBack_ * wi_ + 2 * in().channels);
  }
  int64_t tapsFrom(int64_t phase) const {
    return phase < k_ ? (k_ - phase + stride_ - 1) / stride_ : 0;
  }

  // How many sums of gradients there are; each is of several bands.
  int64_t parts() const {
    const int64_t bytes =
        groups_ * parts_.vectors() * context_.lanes * int64_t{sizeof(float)};
    return std::min(context_.blocks * bands_,
                    std::max(kPartialBytes / bytes, kLeastParts));
  }

  const float* weights() const {
    return instruction().parameters[0].const_data_ptr<float>();
  }
  const float* biases() const {
    const auto& p = instruction().parameters;
    return p.size() > 1 ? p[1].const_data_ptr<float>() : nullptr;
  }

  // The window of a band: values of a group's channels, and 0 around them.
  void read(int64_t g, int64_t b, int64_t band, float* to) {
    const int64_t lanes = context_.lanes;
    const int64_t top = band * rows_ * stride_ - padding_;
    for (int64_t i = 0; i < ci_; ++i) {
      const int64_t channel = g * ci_ + i;
      const Reading r = context_.reading(inputs_[0], channel);
      const float* z = context_.plane(in(), b, channel);
      for (int64_t y = 0; y < height_; ++y) {
        float* row = to + (i * height_ + y) * width_ * lanes;
        const int64_t from = top + y;
        if (from < 0 || from >= hi_) {
          std::fill_n(row, width_ * lanes, 0.0f);
          continue;
        }
        std::fill_n(row, padding_ * lanes, 0.0f);
        table().value(r, z + from * wi_ * lanes, wi_, row + padding_ * lanes);
        std::fill_n(row + (padding_ + wi_) * lanes, padding_ * lanes, 0.0f);
      }
    }
  }

  void forward(int64_t b, int64_t band, float* scratch) {
    const int64_t lanes = context_.lanes;
    Map& map = out_map();
    float* sums = scratch + ci_ * height_ * width_ * lanes;
    float* pivots = sums + 2 * map.channels * lanes;
    const bool wantsMoments = context_.usesBatch && map.norm >= 0;
    for (int64_t g = 0; g < groups_; ++g) {
      read(g, b, band, scratch);
      const Moments moments{wantsMoments ? sums + 2 * g * co_ * lanes : nullptr,
                            pivots + g * co_, true};
      table().forward(
          {scratch,
           offsets_.data(),
           taps_,
           packed_.data() + g * co_ * taps_,
           co_,
           {rowsOf(band), wo_},
           {stride_ * width_, stride_},
           context_.plane(map, b, g * co_) + band * rows_ * wo_ * lanes,
           map.plane,
           {wo_, 1}},
          biases() == nullptr ? nullptr : biases() + g * co_, moments);
    }
    if (wantsMoments)
      context_.keepMoments(&map, b * bands_ + band, 0, map.channels, sums,
                           pivots, b);
  }

  void weightGradients(int64_t part, float* scratch) {
    const int64_t lanes = context_.lanes;
    const int64_t each = parts_.vectors() * lanes;
    float* w = partial_->data() + part * groups_ * each;
    std::fill_n(w, groups_ * each, 0.0f);
    float* dz = scratch + ci_ * height_ * width_ * lanes;
    float* unused = dz + directions_ * rows_ * wo_ * lanes;
    const int64_t units = context_.blocks * bands_;
    const int64_t end = units * (part + 1) / parts();
    for (int64_t unit = units * part / parts(); unit < end; ++unit)
      for (int64_t g = 0; g < groups_; ++g) {
        const int64_t b = unit / bands_, band = unit % bands_;
        const int64_t count = rowsOf(band) * wo_;
        read(g, b, band, scratch);
        const bool isSplit = wanted_ == Wanted::kProducts;
        if (isSplit)
          readCurvature(b, band * rows_ * wo_, count, unused, dz,
                        rows_ * wo_ * lanes);
        else
          for (int64_t o = 0; o < co_; ++o)
            context_.derivative(out_map(), b, g * co_ + o, band * rows_ * wo_,
                                count, dz + o * rows_ * wo_ * lanes);
        if (isSplit)
          table().scaled({scratch,
                          offsets_.data(),
                          taps_,
                          packedDirections_.data(),
                          count_,
                          {rowsOf(band), wo_},
                          {stride_ * width_, stride_},
                          dz,
                          rows_ * wo_,
                          {wo_, 1}});
        Outer outer;
        outer.d = dz;
        outer.plane = rows_ * wo_;
        outer.of = {wo_, 1};
        outer.outputs = isSplit ? count_ : co_;
        outer.x = scratch;
        outer.offsets = offsets_.data();
        outer.taps = taps_;
        outer.from = {stride_ * width_, stride_};
        outer.grid = {rowsOf(band), wo_};
        outer.w = w + g * each;
        table().outer(outer);
      }
  }

  void addMatrices(int64_t unit, float* scratch) {
    const int64_t lanes = context_.lanes;
    const int64_t first = matrices_->firstOf(unit);
    const int64_t count = matrices_->countOf(unit);
    float* h = scratch + ci_ * height_ * width_ * lanes;
    float* unused = h + co_ * rows_ * wo_ * lanes;
    Outer outer;
    outer.d = h;
    outer.plane = rows_ * wo_;
    outer.of = {wo_, 1};
    outer.outputs = count;
    outer.x = scratch;
    outer.offsets = offsets_.data();
    outer.taps = taps_;
    outer.from = {stride_ * width_, stride_};
    outer.w = matrices_->begin(unit);
    const int64_t all = context_.blocks * bands_;
    const int64_t part = matrices_->partOf(unit), parts = matrices_->parts();
    for (int64_t at = all * part / parts; at < all * (part + 1) / parts; ++at) {
      const int64_t b = at / bands_, band = at % bands_;
      read(0, b, band, scratch);
      for (int64_t o = 0; o < count; ++o)
        context_.curvature(out_map(), b, first + o, band * rows_ * wo_,
                           rowsOf(band) * wo_, unused,
                           h + o * rows_ * wo_ * lanes);
      outer.grid = {rowsOf(band), wo_};
      table().matrices(outer);
    }
  }

  void inputGradients(int64_t b, int64_t band, float* scratch) {
    const int64_t lanes = context_.lanes;
    const int64_t begin = band * rowsBack_;
    const int64_t end = std::min(hi_, begin + rowsBack_);
    const int64_t reach = (k_ + stride_ - 1) / stride_;
    const int64_t top = floorDiv(begin + padding_, stride_) - (reach - 1);
    float* first = scratch + co_ * heightBack_ * widthBack_ * lanes;
    float* sums = first + ci_ * rowsBack_ * wi_ * lanes;
    Map& map = in();
    const bool isLinear = context_.slopeOf(inputs_[0]) == Act::kIdentity;
    const bool keeps = keepsSums(0, target_);
    if (keeps) std::fill_n(sums, 2 * map.channels * lanes, 0.0f);
    for (int64_t g = 0; g < groups_; ++g) {
      readDerivatives(g, b, top, scratch);
      if (!isLinear)
        for (int64_t i = 0; i < ci_; ++i)
          table().first(
              context_.reading(inputs_[0], g * ci_ + i),
              context_.plane(map, b, g * ci_ + i) + begin * wi_ * lanes,
              (end - begin) * wi_, first + i * rowsBack_ * wi_ * lanes);
      for (const Phase& phase : phases_) {
        const int64_t y = firstAt(begin, phase.y), x = firstAt(0, phase.x);
        if (y >= end || x >= wi_) continue;
        const int64_t place = (y * wi_ + x) * lanes;
        Back back;
        back.first =
            isLinear ? nullptr : first + ((y - begin) * wi_ + x) * lanes;
        back.firstStep = {stride_ * wi_, stride_};
        back.firstPlane = rowsBack_ * wi_;
        back.z = context_.plane(map, b, g * ci_) + place;
        back.means = map.mean.data() + g * ci_;
        back.adds = target_.adds;
        back.sums = keeps ? sums + 2 * g * ci_ * lanes : nullptr;
        const int64_t row = (y + padding_) / stride_ - top;
        const int64_t column = (x + padding_) / stride_ - left_;
        table().backward({scratch + (row * widthBack_ + column) * lanes,
                          phase.offsets.data(),
                          co_ * phase.taps(),
                          phase.packed.data() + g * ci_ * co_ * phase.taps(),
                          ci_,
                          {(end - y + stride_ - 1) / stride_,
                           (wi_ - x + stride_ - 1) / stride_},
                          {widthBack_, 1},
                          context_.gradients(map, b, g * ci_) + place,
                          map.plane,
                          {stride_ * wi_, stride_}},
                         back);
      }
    }
    if (keeps)
      context_.keepDerivatives(&map, b * bandsBack_ + band, 0, map.channels,
                               sums);
  }
  // The first place from `from` on whose phase it is.
  int64_t firstAt(int64_t from, int64_t phase) const {
    const int64_t now = (from + padding_) % stride_;
    return from + (phase - now + stride_) % stride_;
  }

  // dL/dz of a group's channels in rows from `top` on, and 0 outside the map.
  void readDerivatives(int64_t g, int64_t b, int64_t top, float* to) {
    const int64_t lanes = context_.lanes;
    const int64_t right = std::min(wo_, left_ + widthBack_);
    const int64_t begin = std::max<int64_t>(0, left_);
    for (int64_t o = 0; o < co_; ++o)
      for (int64_t y = 0; y < heightBack_; ++y) {
        float* row = to + (o * heightBack_ + y) * widthBack_ * lanes;
        const int64_t from = top + y;
        std::fill_n(row, widthBack_ * lanes, 0.0f);
        if (from < 0 || from >= ho_ || right <= begin) continue;
        context_.derivative(out_map(), b, g * co_ + o, from * wo_ + begin,
                            right - begin, row + (begin - left_) * lanes);
      }
  }

  const int64_t groups_, k_, stride_, padding_, ci_, co_;  // of a group
  const int64_t hi_, wi_, ho_, wo_, width_, taps_;
  WeightParts parts_;
  int64_t directions_ = 0;  // rows of what the window is multiplied with
  int64_t bands_ = 1, rows_ = 1, height_ = 1;
  int64_t bandsBack_ = 1, rowsBack_ = 1, heightBack_ = 1, widthBack_ = 1;
  int64_t left_ = 0;
  std::vector<int32_t> offsets_;
  std::vector<float> packed_, packedDirections_;
  std::vector<Phase> phases_;
  Target target_;
  Buffer* partial_ = nullptr;
};

}  // namespace

ProducerPtr convolution(Context* context, int node, const View& in, int out) {
  return std::make_unique<Convolution>(context, node, in, out);
}

}  // namespace splitgrow::engine
