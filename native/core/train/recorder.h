// Steps of static shape as recorded graphs, where an accelerator can record:
// launching a small network's kernels one by one takes longer than they run.
#pragma once

#include <string>
#include <vector>

#include "tensor/accelerator.h"
#include "train/data.h"

namespace splitgrow {

class Recorder {
 public:
  // While it lives this thread works on a stream of its own. What outlives it
  // should be allocated before. `mayRecord`: the work asks nothing of the host
  // that differs from one time to the next, and exchanges nothing with ranks.
  Recorder(const at::Device& device, bool mayRecord);
  ~Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Runs `work` on the batch: as it is the first times, so that libraries are
  // warm; then recorded, for this shape and these numbers, and replayed. The
  // recorded work gets a batch of its own and is kept: it must hold what it
  // uses, and write results to tensors that stay.
  using Work = std::function<void(const Batch&)>;
  void run(const Batch& batch, const std::vector<double>& numbers,
           const Work& work);

  // "off"; "on"; or why recording failed, from where on nothing is recorded.
  const std::string& state() const { return state_; }

 private:
  struct Recording {
    std::vector<int64_t> sizes;
    std::vector<double> numbers;
    int64_t runs = 0;
    Batch batch;
    std::unique_ptr<Graph> graph;
  };
  Recording* find(const Batch& batch, const std::vector<double>& numbers);

  const Accelerator* const table_;
  const at::Device device_;
  std::string state_ = "off";
  std::shared_ptr<void> stream_;  // released after all recordings are gone
  std::vector<std::unique_ptr<Recording>> recordings_;
};

}  // namespace splitgrow
