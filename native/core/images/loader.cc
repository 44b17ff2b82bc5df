// Every image is decoded into the row of its position in the pass, so that the
// bytes do not depend on which thread is faster.
#include "images/loader.h"

#include <algorithm>

#include "images/start_threads.h"
#include "tensor/clock.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

// Only pictures that cannot be read are left out. A lack of memory is a
// failure.
std::string reasonOf(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    if (error.code != "E_DATA") throw;
    return error.what();
  }
}

}  // namespace

Loader::Loader(const ImageSource& source, const LoaderOptions& options,
               std::vector<LoadPlan> plans, const int64_t* rows,
               const Augment& augment, uint64_t seed, bool isPinned)
    : source_(source),
      options_(options),
      plans_(std::move(plans)),
      rows_(rows),
      augment_(augment),
      seed_(seed),
      isPinned_(isPinned) {
  const auto failed = [this](std::exception_ptr failure) {
    const std::lock_guard<std::mutex> lock(mutex_);
    fatal_ = std::move(failure);
    toTaker_.notify_one();
  };
  startThreads(options.workers, &threads_, [this] { work(); }, failed);
}

Loader::~Loader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    isOver_ = true;
  }
  toWorkers_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::shared_ptr<Loader::Slot> Loader::open() {
  auto slot = std::make_shared<Slot>();
  slot->plan = plans_[opened_++];
  const int64_t count = slot->plan.count, side = options_.resolution;
  const auto bytes =
      at::TensorOptions().dtype(at::kByte).pinned_memory(isPinned_);
  slot->load.pixels = at::empty({count, side, side, 3}, bytes);
  slot->load.labels = at::empty({count}, bytes.dtype(at::kLong));
  slot->left = count;
  slot->isBad.assign(count, 0);
  auto* labels = slot->load.labels.mutable_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i)
    labels[i] = source_.label(rows_[slot->plan.from + i]);
  slots_.push_back(slot);
  return slot;
}

// Call it with the mutex held. True if an open load has images left, or if
// there is room for another load.
bool Loader::hasWork() const {
  if (!slots_.empty() && slots_.back()->begun < slots_.back()->plan.count)
    return true;
  return opened_ < plans_.size() &&
         slots_.size() <= static_cast<size_t>(options_.prefetch);
}

void Loader::work() {
  ImageReader reader(options_.limits, options_.isScaled);
  Buffer buffer;
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    toWorkers_.wait(lock, [&] { return isOver_ || hasWork(); });
    if (isOver_) return;
    // Loads begin one after the other, so only the last one has images left.
    const bool isOpen =
        !slots_.empty() && slots_.back()->begun < slots_.back()->plan.count;
    std::shared_ptr<Slot> slot;
    try {
      slot = isOpen ? slots_.back() : open();
    } catch (...) {
      // There was no memory for it. The thread that waits for the load gets the
      // error.
      auto failed = std::make_shared<Slot>();
      failed->failure = std::current_exception();
      slots_.push_back(failed);
      toTaker_.notify_one();
      continue;
    }
    if (!isOpen) toWorkers_.notify_all();
    const int64_t row = slot->begun++;
    lock.unlock();
    const auto start = Clock::now();
    std::exception_ptr failure;
    std::string warning;
    try {
      warning = decode(&reader, &buffer, *slot, row);
    } catch (...) {
      failure = std::current_exception();
    }
    const double seconds = secondsSince(start);
    lock.lock();
    stats_.decodeSeconds += seconds;
    if (!failure) {
      ++stats_.images;
    } else {
      slot->isBad[row] = 1;
      if (slot->badAt < 0 || row < slot->badAt) {
        slot->badAt = row;
        slot->failure = failure;
      }
    }
    if (!warning.empty()) {
      ++slot->warned;
      if (slot->warnedAt < 0 || row < slot->warnedAt) {
        slot->warnedAt = row;
        slot->warning = std::move(warning);
      }
    }
    if (--slot->left == 0) toTaker_.notify_one();
  }
}

std::string Loader::decode(ImageReader* reader, Buffer* buffer,
                           const Slot& slot, int64_t row) {
  const int64_t position = slot.plan.from + row;
  const int64_t image = rows_[position];
  const int side = options_.resolution;
  try {
    const Bytes file = source_.read(image, buffer);
    const ImageHeader header = readWholeHeader(file, reader->limits());
    const View view =
        trainingView(header.uprightWidth(), header.uprightHeight(), side,
                     options_.shortSide, augment_, seed_, position);
    const std::string warning = reader->read(
        file, header, view, side, side,
        slot.load.pixels.data_ptr<uint8_t>() + row * int64_t{3} * side * side);
    return warning.empty() ? warning : source_.name(image) + ": " + warning;
  } catch (const Error& error) {
    throw Error(error.code,
                source_.name(image) + " cannot be decoded: " + error.what());
  }
}

Load Loader::withoutBad(const Slot& slot) {
  std::vector<int64_t> good;
  for (int64_t i = 0; i < slot.plan.count; ++i)
    if (!slot.isBad[i]) good.push_back(i);
  const at::Tensor index = at::tensor(good, at::kLong);
  return {slot.load.pixels.index_select(0, index),
          slot.load.labels.index_select(0, index)};
}

Load Loader::next() {
  const auto start = Clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  toTaker_.wait(lock, [&] {
    return fatal_ || (!slots_.empty() && slots_.front()->left == 0);
  });
  if (fatal_) std::rethrow_exception(fatal_);
  const std::shared_ptr<Slot> slot = slots_.front();
  slots_.pop_front();
  stats_.waited += secondsSince(start);
  toWorkers_.notify_all();
  stats_.warned += slot->warned;
  if (stats_.firstWarned.empty()) stats_.firstWarned = slot->warning;
  if (!slot->failure) return slot->load;
  stats_.skipped += std::count(slot->isBad.begin(), slot->isBad.end(), 1);
  const std::string reason = reasonOf(slot->failure);
  require(
      options_.skipsUnreadable, "E_DATA", reason,
      "; `splitgrow data index` finds all such files of a folder, and ",
      "leaves them out; so does data.skipUnreadable (eval: --skip-unreadable)");
  if (stats_.firstSkipped.empty()) stats_.firstSkipped = reason;
  lock.unlock();
  return withoutBad(*slot);
}

LoaderStats Loader::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

}  // namespace splitgrow
