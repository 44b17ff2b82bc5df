// The face of an optional second library (native/cuda): fused kernels, graphs,
// NCCL, eigenvalues. One table of functions with a version; the core opens the
// library by itself and computes by ATen where there is none.
#pragma once

#include <ATen/ATen.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tensor/rows.h"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace splitgrow {

// Version of this header and of all headers that it includes. A library of
// another version is refused.
constexpr int kAcceleratorVersion = 1;

// Kernel launches that were recorded once and are launched again as a whole.
// The tensors that they read must stay at their addresses.
struct Graph {
  virtual ~Graph() = default;
  virtual void replay() = 0;
};

// What batch norm in training leaves for its backward pass, [C] float32 each.
struct NormState {
  at::Tensor scale, shift, mean, inverse;
};

struct RmsProp {
  double rate = 0, alpha = 0, momentum = 0, epsilon = 0;
};

// Which pixels make a minibatch: int64 [n] each, on the device of the images.
struct Crops {
  at::Tensor index, flips, tops, lefts;
};

struct Accelerator {
  int version = 0;
  const char* libtorch = "";  // the release it was built for
  const char* name = "";
  at::DeviceType device = at::kCUDA;

  // rows.h. Data is float32 or bfloat16 on `device`, channels innermost;
  // per-channel numbers are float32 or narrower, results float32.
  at::Tensor (*affineAct)(Act, const at::Tensor& x, const at::Tensor& scale,
                          const at::Tensor& shift);
  at::Tensor (*actOnly)(Act, const at::Tensor& x);
  Moments (*moments)(const at::Tensor& x);
  ActGrad (*actGrad)(Act, const at::Tensor& x, const at::Tensor& g,
                     const at::Tensor& scale, const at::Tensor& shift,
                     const at::Tensor& mean);
  at::Tensor (*actOnlyGrad)(Act, const at::Tensor& z, const at::Tensor& g);
  at::Tensor (*combine)(const at::Tensor& x, const at::Tensor& dz,
                        const at::Tensor& a, const at::Tensor& b,
                        const at::Tensor& c);
  Curvature (*curvature)(Act, const at::Tensor& z, const at::Tensor& g,
                         const at::Tensor& u, const at::Tensor& square,
                         double beta, bool wantGz);

  // Batch norm in training, of one rank: statistics, the scale and shift they
  // give, and the running ones moved by `momentum` (0: not at all).
  NormState (*norm)(const at::Tensor& x, const at::Tensor& gamma,
                    const at::Tensor& beta, const at::Tensor& runningMean,
                    const at::Tensor& runningVariance, double eps,
                    double momentum);
  // Fills both gradients; returns dL/dx, or nothing unless it is wanted.
  at::Tensor (*normGrad)(Act, const at::Tensor& x, const at::Tensor& g,
                         const NormState&, const at::Tensor& gradGamma,
                         const at::Tensor& gradBeta, bool wantInput);

  // v, square and velocity [n, d] float32 are stepped in place; quotients
  // double [n] gets v . sv before the step.
  void (*rayleighStep)(const at::Tensor& v, const at::Tensor& sv,
                       const at::Tensor& square, const at::Tensor& velocity,
                       const at::Tensor& quotients, const RmsProp&);
  // uint8 [N, C, H, W] to [n, C, H, W] of `type`, channels_last.
  at::Tensor (*pixels)(const at::Tensor& images, const Crops&,
                       const at::Tensor& scale, const at::Tensor& shift,
                       at::ScalarType type);

  // Smallest eigenvalues [n] and unit eigenvectors [n, d] of symmetric [n, d,
  // d] float64, which is overwritten. False: the library has no solver.
  bool (*smallestEigen)(const at::Tensor& matrices, at::Tensor* values,
                        at::Tensor* vectors);

  // Gives this thread a stream of its own until the result is released. Work on
  // the stream begins after all earlier work, and the release waits for it.
  std::shared_ptr<void> (*threadStream)(at::Device);
  // Records the work that `work` gives to the device, on a stream of its own,
  // without running it. Null, with the reason, if it cannot be recorded.
  std::unique_ptr<Graph> (*capture)(at::Device, const std::function<void()>&,
                                    std::string* reason);

  // Null if the library has no such function.
  c10::intrusive_ptr<c10d::Backend> (*makeProcessGroup)(
      const c10::intrusive_ptr<c10d::Store>&, int rank, int world,
      std::chrono::milliseconds timeout);
};

// The table of the library that is open; null if there is none.
const Accelerator* accelerator();
// The same table if it is for this kind of device, else null.
const Accelerator* acceleratorOn(const at::Device& device);
// The same table if its functions take tensors like x, else null. They are not
// differentiable.
const Accelerator* acceleratorFor(const at::Tensor& x);
// Why there is no library; empty if there is one.
const std::string& acceleratorFault();

}  // namespace splitgrow
