// Smallest eigenpairs of many symmetric matrices at once, by cuSOLVER's
// cusolverDnXsyevBatched, where LibTorch's eigh takes one after the other.
// LibTorch loads cuSOLVER on its first use only, so its functions are looked up
// here at run time.
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <cusolverDn.h>
#include <dlfcn.h>

#include "parts.h"

namespace splitgrow::gpu {

namespace {

using at::Tensor;

struct Solver {
  decltype(&cusolverDnCreate) create = nullptr;
  decltype(&cusolverDnDestroy) destroy = nullptr;
  decltype(&cusolverDnSetStream) setStream = nullptr;
  decltype(&cusolverDnCreateParams) createParams = nullptr;
  decltype(&cusolverDnDestroyParams) destroyParams = nullptr;
  decltype(&cusolverDnXsyevBatched_bufferSize) bufferSize = nullptr;
  decltype(&cusolverDnXsyevBatched) solve = nullptr;
};

// First by its name, if it is loaded or the system knows it; else beside the
// CUDA run time, where PyTorch's packages have it.
void* openLibrary() {
  const std::string name =
      "libcusolver.so." + std::to_string(CUSOLVER_VER_MAJOR);
  if (void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL))
    return library;
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&cudaGetDevice), &info) == 0)
    return nullptr;
  const std::string path = info.dli_fname;
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return nullptr;
  return dlopen((path.substr(0, slash + 1) + name).c_str(),
                RTLD_NOW | RTLD_LOCAL);
}

template <class F>
bool find(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(dlsym(library, name));
  return *function != nullptr;
}

const Solver* open() {
  void* const library = openLibrary();
  if (library == nullptr) return nullptr;
  auto solver = std::make_unique<Solver>();
  Solver& s = *solver;
  const bool hasAll =
      find(library, "cusolverDnCreate", &s.create) &&
      find(library, "cusolverDnDestroy", &s.destroy) &&
      find(library, "cusolverDnSetStream", &s.setStream) &&
      find(library, "cusolverDnCreateParams", &s.createParams) &&
      find(library, "cusolverDnDestroyParams", &s.destroyParams) &&
      find(library, "cusolverDnXsyevBatched_bufferSize", &s.bufferSize) &&
      find(library, "cusolverDnXsyevBatched", &s.solve);
  return hasAll ? solver.release() : nullptr;  // for good, once a process
}

void check(cusolverStatus_t status, const char* call) {
  TORCH_CHECK(status == CUSOLVER_STATUS_SUCCESS, call,
              " of cuSOLVER failed: ", static_cast<int>(status));
}

// A handle on the current stream, with default parameters.
struct Session {
  explicit Session(const Solver& solver_) : solver(solver_) {
    check(solver.create(&handle), "cusolverDnCreate");
  }
  void begin(cudaStream_t stream) {
    check(solver.setStream(handle, stream), "cusolverDnSetStream");
    check(solver.createParams(&params), "cusolverDnCreateParams");
  }
  ~Session() {
    if (params != nullptr) solver.destroyParams(params);
    solver.destroy(handle);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  const Solver& solver;
  cusolverDnHandle_t handle = nullptr;
  cusolverDnParams_t params = nullptr;
};

Tensor bytes(size_t count, const at::TensorOptions& options) {
  return at::empty({static_cast<int64_t>(std::max<size_t>(count, 1))},
                   options.dtype(at::kByte));
}

}  // namespace

bool smallestEigen(const Tensor& matrices, Tensor* values, Tensor* vectors) {
  static const Solver* const solver = open();
  if (solver == nullptr) return false;
  TORCH_CHECK(matrices.dim() == 3 && matrices.is_contiguous() &&
                  matrices.size(1) == matrices.size(2) &&
                  matrices.scalar_type() == at::kDouble,
              "expected float64 [n, d, d], found ", matrices.scalar_type(), " ",
              matrices.sizes());
  const int64_t n = matrices.size(0), d = matrices.size(1);
  if (n == 0) return false;
  const c10::cuda::CUDAGuard guard(matrices.device());
  const auto stream = c10::cuda::getCurrentCUDAStream();
  Session session(*solver);
  session.begin(stream.stream());
  const Tensor all = at::empty({n, d}, matrices.options());
  const Tensor info = at::zeros({n}, matrices.options().dtype(at::kInt));
  size_t onDevice = 0, onHost = 0;
  void* const a = matrices.mutable_data_ptr();
  void* const w = all.mutable_data_ptr();
  check(solver->bufferSize(session.handle, session.params,
                           CUSOLVER_EIG_MODE_VECTOR, CUBLAS_FILL_MODE_LOWER, d,
                           CUDA_R_64F, a, d, CUDA_R_64F, w, CUDA_R_64F,
                           &onDevice, &onHost, n),
        "cusolverDnXsyevBatched_bufferSize");
  const Tensor device = bytes(onDevice, matrices.options());
  const Tensor host = bytes(onHost, at::TensorOptions());
  check(solver->solve(session.handle, session.params, CUSOLVER_EIG_MODE_VECTOR,
                      CUBLAS_FILL_MODE_LOWER, d, CUDA_R_64F, a, d, CUDA_R_64F,
                      w, CUDA_R_64F, device.mutable_data_ptr(), onDevice,
                      host.mutable_data_ptr(), onHost,
                      info.mutable_data_ptr<int>(), n),
        "cusolverDnXsyevBatched");
  // Waits for the solver, which may use the host's buffer until then.
  const bool isSolved = info.eq(0).all().item<bool>();
  if (!isSolved) return false;
  // In ascending order; eigenvectors are columns, and columns come first.
  *values = all.select(1, 0);
  *vectors = matrices.select(1, 0);
  return true;
}

}  // namespace splitgrow::gpu
