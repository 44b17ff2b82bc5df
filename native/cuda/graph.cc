// CUDA graphs, and the stream of its own that a thread needs to record one.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>

#include "parts.h"

namespace splitgrow::gpu {

namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;
using c10::cuda::CUDAStream;

// Waits after a failure too: pending work still uses tensors that are about to
// be freed.
void finish(const CUDAStream& stream) {
  if (cudaStreamSynchronize(stream.stream()) != cudaSuccess)
    (void)cudaGetLastError();
}

// `after` waits for all work that `before` has so far.
void chain(const CUDAStream& before, const CUDAStream& after) {
  cudaEvent_t event = nullptr;
  C10_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  const cudaError_t recorded = cudaEventRecord(event, before.stream());
  const cudaError_t waited = recorded == cudaSuccess
                                 ? cudaStreamWaitEvent(after.stream(), event, 0)
                                 : recorded;
  cudaEventDestroy(event);  // lives on until it has been passed
  C10_CUDA_CHECK(waited);
}

struct ThreadStream {
  ThreadStream(const CUDAStream& before, const CUDAStream& fresh)
      : stream(fresh), guard(fresh) {
    chain(before, fresh);
  }
  ~ThreadStream() { finish(stream); }
  const CUDAStream stream;
  c10::cuda::CUDAStreamGuard guard;  // restored after finish()
};

struct Recorded : Graph {
  explicit Recorded(const CUDAStream& stream_)
      : stream(stream_), pool(at::cuda::graph_pool_handle()) {}
  ~Recorded() override { finish(stream); }
  void replay() override { graph.replay(); }

  const CUDAStream stream;
  const at::cuda::MempoolId_t pool;
  at::cuda::CUDAGraph graph;
};

// Leaves the recording that `graph` began, whatever state it is in.
void giveUp(Recorded* recorded) {
  const auto trying = [](const auto& call) {
    try {
      call();
    } catch (const std::exception&) {
      // The recording had not come that far.
    }
  };
  const auto device = recorded->stream.device_index();
  bool isEnded = false;
  trying([&] {
    recorded->graph.capture_end();
    isEnded = true;
  });
  if (!isEnded) {
    trying([&] { allocator::endAllocateToPool(device, recorded->pool); });
    trying([&] { allocator::releasePool(device, recorded->pool); });
  }
  (void)cudaGetLastError();
}

}  // namespace

void* currentStream(const c10::Device& device) {
  return c10::cuda::getCurrentCUDAStream(device.index()).stream();
}

std::shared_ptr<void> threadStream(at::Device device) {
  const c10::cuda::CUDAGuard guard(device);
  const CUDAStream before = c10::cuda::getCurrentCUDAStream(device.index());
  const CUDAStream fresh =
      c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index());
  return std::make_shared<ThreadStream>(before, fresh);
}

std::unique_ptr<Graph> capture(at::Device device,
                               const std::function<void()>& work,
                               std::string* reason) {
  const c10::cuda::CUDAGuard guard(device);
  const CUDAStream stream = c10::cuda::getCurrentCUDAStream(device.index());
  if (stream == c10::cuda::getDefaultCUDAStream(device.index())) {
    *reason = "the default stream cannot be recorded";
    return nullptr;
  }
  auto recorded = std::make_unique<Recorded>(stream);
  try {
    // Only this thread records: other threads allocate and wait meanwhile.
    recorded->graph.capture_begin(recorded->pool,
                                  cudaStreamCaptureModeThreadLocal);
    work();
    recorded->graph.capture_end();
    return recorded;
  } catch (const c10::Error& error) {
    *reason = error.what_without_backtrace();
  } catch (const std::exception& error) {
    *reason = error.what();
  }
  giveUp(recorded.get());
  return nullptr;
}

}  // namespace splitgrow::gpu
