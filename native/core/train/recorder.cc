// Keeps one recording for every shape and set of numbers that comes often.
#include "train/recorder.h"

#include <cstdlib>
#include <cstring>

namespace splitgrow {

namespace {

// Eager runs of a shape before it is recorded.
constexpr int64_t kWarmUps = 2;
// How many shapes are kept; each recording has memory of its own.
constexpr size_t kMostRecordings = 4;

bool isWanted() {
  const char* const text = std::getenv("SPLITGROW_GRAPHS");
  return text == nullptr || std::strcmp(text, "0") != 0;
}

Batch copyOf(const Batch& batch) {
  return {batch.images.clone(at::MemoryFormat::Preserve), batch.labels.clone()};
}

}  // namespace

Recorder::Recorder(const at::Device& device, bool mayRecord)
    : table_(mayRecord && isWanted() ? acceleratorOn(device) : nullptr),
      device_(device) {
  if (table_ == nullptr) return;
  stream_ = table_->threadStream(device_);
  state_ = "on";
}

Recorder::Recording* Recorder::find(const Batch& batch,
                                    const std::vector<double>& numbers) {
  const auto sizes = batch.images.sizes();
  for (const auto& one : recordings_)
    if (sizes == at::IntArrayRef(one->sizes) && one->numbers == numbers)
      return one.get();
  if (recordings_.size() == kMostRecordings) return nullptr;
  recordings_.push_back(std::make_unique<Recording>());
  recordings_.back()->sizes = sizes.vec();
  recordings_.back()->numbers = numbers;
  return recordings_.back().get();
}

void Recorder::run(const Batch& batch, const std::vector<double>& numbers,
                   const Work& work) {
  Recording* const one = state_ == "on" ? find(batch, numbers) : nullptr;
  if (one == nullptr || one->runs < kWarmUps) {
    if (one != nullptr) ++one->runs;
    work(batch);
    return;
  }
  if (one->graph == nullptr) {
    one->batch = copyOf(batch);
    std::string fault;
    one->graph = table_->capture(
        device_, [work, own = one->batch] { work(own); }, &fault);
    if (one->graph == nullptr) {
      state_ = "failed: " + fault.substr(0, fault.find('\n'));
      work(batch);
      return;
    }
  } else {
    one->batch.images.copy_(batch.images);
    one->batch.labels.copy_(batch.labels);
  }
  one->graph->replay();
}

}  // namespace splitgrow
