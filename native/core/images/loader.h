// A pool of threads that decodes the images of coming minibatches.
#pragma once

#include <ATen/ATen.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "images/reader.h"
#include "images/source.h"
#include "train/data.h"

namespace splitgrow {

struct LoaderOptions {
  ImageLimits limits;
  int resolution = 0, shortSide = 0;
  int workers = 1;
  int64_t prefetch = 1;  // loads that are worked on beside the one handed out
  bool isScaled = true, skipsUnreadable = false;
};

// One load of images: the rows of a minibatch that could be decoded.
struct Load {
  at::Tensor pixels;  // uint8 [n, R, R, 3]
  at::Tensor labels;  // int64 [n]
};

// What to decode: the position of the first image in the order, and how many.
struct LoadPlan {
  int64_t from = 0, count = 0;
};

class Loader {
 public:
  // `plans` are worked on in order; `rows` is the pass's order of images.
  Loader(const ImageSource& source, const LoaderOptions& options,
         std::vector<LoadPlan> plans, const int64_t* rows,
         const Augment& augment, uint64_t seed, bool isPinned);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // Waits for the load of the next plan and returns it. If an image cannot be
  // decoded, it throws Error{E_DATA} naming the first one; if unreadable images
  // are to be skipped, the load has fewer images, maybe none.
  Load next();
  LoaderStats stats() const;

 private:
  // A load that is being worked on.
  struct Slot {
    LoadPlan plan;
    Load load;
    int64_t begun = 0, left = 0;  // images begun; images not yet finished
    std::vector<uint8_t> isBad;   // by image
    int64_t badAt = -1;           // the first that failed, and why
    std::exception_ptr failure;
    int64_t warned = 0, warnedAt = -1;  // that the decoder warns of; the first
    std::string warning;
  };
  void work();
  bool hasWork() const;
  std::shared_ptr<Slot> open();
  // What the decoder warns of, with the image's name; or nothing.
  std::string decode(ImageReader* reader, Buffer* buffer, const Slot& slot,
                     int64_t row);
  static Load withoutBad(const Slot& slot);

  const ImageSource& source_;
  const LoaderOptions options_;
  const std::vector<LoadPlan> plans_;
  const int64_t* rows_;
  const Augment augment_;
  const uint64_t seed_;
  const bool isPinned_;

  mutable std::mutex mutex_;
  std::condition_variable toWorkers_, toTaker_;
  std::deque<std::shared_ptr<Slot>> slots_;  // in order, the next one first
  size_t opened_ = 0;                        // plans that have or had a slot
  bool isOver_ = false;
  std::exception_ptr fatal_;  // of a thread that could not go on
  LoaderStats stats_;
  std::vector<std::thread> threads_;
};

}  // namespace splitgrow
