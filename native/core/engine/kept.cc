// Inputs and curvature of a layer, kept; and products from them.

#include "engine/kept.h"

#include "engine/engine.h"
#include "engine/producer.h"

namespace splitgrow::engine {

namespace {

using at::Tensor;

constexpr int64_t kChunkBytes = 24 << 10;
constexpr int64_t kLeast = 32, kMost = 64;  // vectors of a channel of a chunk
// The most weights of a neuron for which S is kept: the sums take as long as so
// many a quarter of products, and a search some ten. Without S a layer with a
// window needs passes through the whole network.
constexpr int64_t kMostSummed = 48, kMostSummedOfWindow = 160;
// Chunks whose sums are added in float32.
constexpr int64_t kGroup = 32;
// Sums that are made side by side, and the bytes that all of them may take.
constexpr int64_t kMostParts = 32, kLeastParts = 4;
constexpr int64_t kPartBytes = int64_t{64} << 20;

// Sums as `outer` leaves them, by tile: to [rows, inputs].
class OuterTiles {
 public:
  OuterTiles(const Table& table, int64_t rows, int64_t inputs)
      : outs_(rows, table.outerOutputs),
        taps_(inputs, table.outerTaps),
        lanes_(table.lanes) {
    forEach([&](int64_t, int64_t, int64_t floats) { floats_ += floats; });
  }
  int64_t floats() const { return floats_; }
  void addTo(const float* from, double* to) const {
    forEach([&](int64_t u, int64_t t, int64_t floats) {
      const int64_t width = taps_.size(u);
      for (int64_t i = 0; i < outs_.size(t) * width; ++i)
        to[(outs_.at(t) + i / width) * taps_.n + taps_.at(u) + i % width] +=
            from[i];
      from += floats;
    });
  }

 private:
  template <class Visit>
  void forEach(Visit visit) const {
    for (int64_t u = 0; u < taps_.parts; ++u)
      for (int64_t t = 0; t < outs_.parts; ++t)
        visit(u, t,
              (outs_.size(t) * taps_.size(u) + lanes_ - 1) / lanes_ * lanes_);
  }
  const Cut outs_, taps_;
  const int64_t lanes_;
  int64_t floats_ = 0;
};

}  // namespace

Chunks keptChunks(const Table& table, int64_t channels, int64_t pixels,
                  int64_t blocks) {
  const int64_t bytes =
      channels * table.lanes * static_cast<int64_t>(sizeof(float));
  return {std::clamp(kChunkBytes / bytes / 4 * 4, kLeast, kMost), pixels,
          blocks};
}

KeptLayer::KeptLayer(const Table& table, int64_t inputs, int64_t neurons,
                     int64_t pixels, bool hasWindow)
    : table_(table),
      inputs_(inputs),
      neurons_(neurons),
      pixels_(pixels),
      form_(inputs <= (hasWindow ? kMostSummedOfWindow : kMostSummed)
                ? Form::kMatrices
            : hasWindow ? Form::kNone
                        : Form::kInputs) {}

int64_t KeptLayer::bytes(int64_t images) const {
  const int64_t numbers = form_ == Form::kMatrices
                              ? inputs_ * inputs_ * neurons_
                              : (inputs_ + neurons_) * pixels_ * images;
  return numbers * static_cast<int64_t>(sizeof(float));
}

Chunks KeptLayer::chunksOf(int64_t images) const {
  return keptChunks(table_, inputs_ + neurons_, pixels_,
                    (images + table_.lanes - 1) / table_.lanes);
}

void KeptLayer::add(int64_t images) {
  if (form_ == Form::kMatrices) {
    if (!sums_.defined())
      sums_ = at::zeros({inputs_, inputs_, neurons_}, at::kFloat);
    return;
  }
  const Chunks chunks = chunksOf(images);
  pieces_.push_back({chunks, at::empty({chunks.count * (inputs_ + neurons_) *
                                        chunks.plane * table_.lanes},
                                       at::kFloat)});
}

const float* KeptLayer::at(const Piece& piece, int64_t chunk) const {
  return piece.numbers.const_data_ptr<float>() +
         chunk * (inputs_ + neurons_) * piece.chunks.plane * table_.lanes;
}

void KeptLayer::write(const Context& context, const View& in, const Map& out,
                      int64_t chunk, float* unused) const {
  const Piece& piece = pieces_.back();
  const Chunks& chunks = piece.chunks;
  const int64_t lanes = table_.lanes, m = chunks.pixelsOf(chunk);
  const int64_t first = chunks.firstBlock(chunk), q = chunks.firstPixel(chunk);
  const Map& from = context.maps[in.map];
  float* const to = const_cast<float*>(at(piece, chunk));
  for (int64_t b = 0; b < chunks.blocksOf(chunk); ++b) {
    float* row = to + b * m * lanes;
    for (int64_t i = 0; i < inputs_; ++i, row += chunks.plane * lanes)
      table_.value(context.reading(in, i),
                   context.plane(from, first + b, i) + q * lanes, m, row);
    for (int64_t o = 0; o < neurons_; ++o, row += chunks.plane * lanes)
      context.curvature(out, first + b, o, q, m, unused, row);
  }
}

std::vector<KeptLayer::Group> KeptLayer::groups() const {
  std::vector<Group> all;
  for (size_t p = 0; p < pieces_.size(); ++p)
    for (int64_t c = 0; c < pieces_[p].chunks.count; c += kGroup)
      all.push_back({p, c, std::min(c + kGroup, pieces_[p].chunks.count)});
  return all;
}

Tensor KeptLayer::products(Team* team, const Tensor& directions,
                           const int64_t* owners) const {
  return form_ == Form::kMatrices ? productsOfMatrices(directions, owners)
                                  : productsOfInputs(team, directions, owners);
}

Tensor KeptLayer::productsOfMatrices(const Tensor& directions,
                                     const int64_t* owners) const {
  const int64_t rows = directions.size(0), d = inputs_;
  const Tensor given = directions.contiguous();
  const Tensor products = at::zeros({rows, d}, at::kDouble);
  const float* const s = sums();
  if (s == nullptr) return products;  // of no images
  for (int64_t r = 0; r < rows; ++r) {
    const float* const v = given.const_data_ptr<float>() + r * d;
    double* const to = products.mutable_data_ptr<double>() + r * d;
    const float* const own = s + (owners == nullptr ? r : owners[r]);
    for (int64_t i = 0; i < d; ++i)
      for (int64_t j = i; j < d; ++j) {
        const double entry = own[(i * d + j) * neurons_];
        to[i] += entry * v[j];
        if (j > i) to[j] += entry * v[i];
      }
  }
  return products;
}

Tensor KeptLayer::productsOfInputs(Team* team, const Tensor& directions,
                                   const int64_t* owners) const {
  const int64_t rows = directions.size(0), lanes = table_.lanes;
  const Tensor given = directions.contiguous();
  const float* const v = given.const_data_ptr<float>();
  std::vector<float> packed(rows * inputs_);
  packTiles(
      table_, rows, inputs_,
      [&](int64_t o, int64_t k) { return v[o * inputs_ + k]; }, packed.data());
  const std::vector<Group> all = groups();
  const auto count = static_cast<int64_t>(all.size());
  const auto bytes = rows * inputs_ * static_cast<int64_t>(sizeof(double));
  const int64_t parts =
      std::min(count, std::clamp(kPartBytes / bytes, kLeastParts, kMostParts));
  const Tensor sums = at::zeros({parts, rows, inputs_}, at::kDouble);
  double* const to = sums.mutable_data_ptr<double>();

  // All pieces but the last are as large as the first.
  int64_t plane = 1;
  for (const Piece& piece : pieces_)
    plane = std::max(plane, piece.chunks.plane);
  const OuterTiles tiles(table_, rows, inputs_);
  team->need(rows * plane * lanes + tiles.floats());
  Stage stage;
  stage.segments.push_back(
      {parts, [&](int64_t part, float* y) {
         float* const w = y + rows * plane * lanes;
         double* const sum = to + part * rows * inputs_;
         for (int64_t g = count * part / parts; g < count * (part + 1) / parts;
              ++g) {
           const Piece& piece = pieces_[all[g].piece];
           const int64_t stride = piece.chunks.plane;
           std::vector<int32_t> offsets(inputs_);
           for (int64_t i = 0; i < inputs_; ++i)
             offsets[i] = static_cast<int32_t>(i * stride);
           std::fill_n(w, tiles.floats(), 0.0f);
           for (int64_t c = all[g].from; c < all[g].to; ++c) {
             const float* const x = at(piece, c);
             const float* const h = x + inputs_ * stride * lanes;
             const int64_t m =
                 piece.chunks.blocksOf(c) * piece.chunks.pixelsOf(c);
             for (int64_t r = 0; r < rows; ++r)
               std::copy_n(
                   h + (owners == nullptr ? r : owners[r]) * stride * lanes,
                   m * lanes, y + r * stride * lanes);
             table_.scaled({x,
                            offsets.data(),
                            inputs_,
                            packed.data(),
                            rows,
                            {1, m},
                            {0, 1},
                            y,
                            stride,
                            {0, 1}});
             Outer outer;
             outer.d = y;
             outer.plane = stride;
             outer.outputs = rows;
             outer.x = x;
             outer.offsets = offsets.data();
             outer.taps = inputs_;
             outer.grid = {1, m};
             outer.w = w;
             table_.outer(outer);
           }
           tiles.addTo(w, sum);
         }
       }});
  team->run({&stage});
  return sums.sum(0);
}

bool hasWindow(const Node& layer) {
  const Tensor& weight = layer.parameters[0];
  const Attributes& a = layer.instruction->attributes;
  return weight.dim() != 2 && (weight.size(2) != 1 || a.stride != 1 ||
                               a.padding != 0 || a.groups != 1);
}

std::vector<KeptSize> keptSizes(const Network& network,
                                const std::vector<int64_t>& pixels,
                                int64_t images) {
  const auto& chains = network.program.chains;
  std::vector<KeptSize> sizes(chains.size());
  if (!takes(network)) return sizes;
  for (size_t i = 0; i < chains.size(); ++i) {
    const KeptLayer layer(pick(), chains[i].dimension, chains[i].neurons,
                          pixels[i], hasWindow(network.nodes[chains[i].layer]));
    const auto repeats = layer.form() == Form::kInputs ? images : 1;
    if (layer.form() != Form::kNone)
      sizes[i] = {layer.form(), static_cast<double>(layer.bytes(1)) *
                                    static_cast<double>(repeats)};
  }
  return sizes;
}

}  // namespace splitgrow::engine
