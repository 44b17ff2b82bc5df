// How a minibatch is cut: consecutive rows by rank, then into pieces.
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>

#include "ranks/group.h"
#include "tensor/error.h"
#include "train/data.h"

namespace splitgrow {

namespace {

bool isNarrow(const SweepOptions& options) {
  return options.tensors.dtype() == at::kBFloat16;
}

SweepOptions widened(SweepOptions options) {
  if (isNarrow(options)) options.tensors = options.tensors.dtype(at::kFloat);
  return options;
}

}  // namespace

Sweep::Sweep(int64_t size, const SweepOptions& options)
    : size_(size),
      isNarrow_(isNarrow(options)),
      options_(widened(options)),
      rank_(options.shards ? groupRank() : 0),
      world_(options.shards ? groupWorld() : 1),
      random_(at::make_generator<at::CPUGeneratorImpl>(options.seed)),
      shares_{size,   options.batch,     options.micro, rank_,
              world_, options.remainder, options.least} {
  require(size > 0, "E_DATA", "the dataset is empty");
  require(steps() > 0, "E_DATA", "the dataset has ", size,
          " images, and a last minibatch of less than ", options.batch,
          " is left out: no minibatch is left");
  const auto longs = at::TensorOptions().dtype(at::kLong);
  order_ = options.shuffle ? at::randperm(size, random_, longs)
                           : at::arange(size, longs);
}

int64_t Shares::steps() const {
  const int64_t whole = size / batch;
  const bool isMore =
      size % batch > 0 && (remainder == Remainder::kKeep ||
                           (remainder == Remainder::kJoin && whole == 0));
  return whole + (isMore ? 1 : 0);
}

int64_t Shares::images(int64_t step) const {
  const bool isLast = step + 1 == steps() && remainder != Remainder::kDrop;
  return isLast ? size - step * batch : batch;
}

int64_t Shares::pieces(int64_t step) const {
  if (micro <= 0) return 1;
  const int64_t count = images(step);
  const int64_t ranks = isWhole(step) ? 1 : world;
  const int64_t most = (count + ranks - 1) / ranks, fewest = count / ranks;
  return std::clamp<int64_t>((most + micro - 1) / micro, 1,
                             std::max<int64_t>(fewest / least, 1));
}

Shares::Rows Shares::rows(int64_t step, int64_t index) const {
  const int64_t count = images(step), parts = pieces(step);
  const bool all = world == 1 || isWhole(step);
  const int64_t begin = all ? 0 : rank * count / world;
  const int64_t here = (all ? count : (rank + 1) * count / world) - begin;
  const int64_t from = index * here / parts;
  return {step * batch + begin + from, (index + 1) * here / parts - from};
}

Piece Sweep::piece(int64_t step, int64_t index) {
  const bool all = world_ > 1 && shares_.isWhole(step);
  const double weight = all ? 1.0 / static_cast<double>(world_) : 1.0;
  Batch own = batch(step, index);
  const double read = weight * static_cast<double>(own.labels.size(0));
  if (isNarrow_) own.images = own.images.to(at::kBFloat16);
  return {std::move(own), read / static_cast<double>(images(step)), weight,
          world_ == 1 || all, read};
}

double Sweep::readOf(int64_t step, double here) const {
  if (!mayLeaveOut()) return static_cast<double>(images(step));
  if (world_ == 1) return here;
  const at::Tensor all = at::full({1}, here, at::kDouble);
  sumOverGroup(all);
  return all.item<double>();
}

double Sweep::readOf(int64_t step, Piece* piece) const {
  const double read = readOf(step, piece->images);
  if (read > 0) piece->share *= static_cast<double>(images(step)) / read;
  return read;
}

void Sweep::requireRead(double images) const {
  require(images > 0, "E_DATA", "none of the ", size_,
          " images could be read, the first of them: ",
          stats().value_or(LoaderStats{}).firstSkipped);
}

}  // namespace splitgrow
