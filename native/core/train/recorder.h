// Steps of fixed shape as recorded graphs, if an accelerator can record: the
// kernels of a small network take longer to launch one by one than to run.
#pragma once

#include <string>
#include <vector>

#include "tensor/accelerator.h"
#include "train/data.h"

namespace splitgrow {

class Recorder {
 public:
  // While it lives, this thread works on a stream of its own. Allocate tensors
  // that live longer before it. `mayRecord`: the work takes nothing from the
  // host that changes between runs, and exchanges nothing with other ranks.
  Recorder(const at::Device& device, bool mayRecord);
  ~Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // Runs `work` on the batch. The first times it runs as it is, so that
  // libraries are warm. Then it is recorded, for this shape and these numbers,
  // and replayed. Recorded work gets a batch of its own and is kept: it must
  // hold the tensors that it uses, and write results to tensors that stay.
  using Work = std::function<void(const Batch&)>;
  void run(const Batch& batch, const std::vector<double>& numbers,
           const Work& work);

  // "off", "on", or why recording failed; after a failure nothing is recorded.
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
