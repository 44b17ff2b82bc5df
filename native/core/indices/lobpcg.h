// Locally optimal conjugate gradients on the Rayleigh quotients of all neurons,
// with all directions so far.
#pragma once

#include "indices/indices.h"
#include "indices/kept_tensors.h"

namespace splitgrow {

// LOBPCG (A. Knyazev, "Toward the optimal preconditioned eigensolver", 2001)
// takes the best of three vectors: v, its residual and the step before. Here
// all earlier directions stay, which makes it Lanczos' method with full
// reorthogonalisation: no worse in any pass, and O(n d passes) numbers.
//
// In the first pass each of a chain's n neurons has one direction. Neurons that
// are done leave theirs to the others, and later passes have more directions:
// the method is then block Lanczos. Of a chain of 4 neurons, 0 and 3 are done:
//   owners   1, 1, 2, 2
//   next     [4, d]: two directions of neuron 1, two of neuron 2
struct Lobpcg {
  Lobpcg(const Network& network, const std::vector<bool>& wanted,
         const IndicesOptions& options);

  // One chain. All but `sums` is on the host.
  struct Space {
    // By neuron: orthonormal rows, and S times each, [rows, d]. Undefined
    // before the first pass, and for a neuron that is done.
    Tensors basis, products;
    at::Tensor next, owners;  // of the pass under way; int64 [rows], ascending
    at::Tensor sums;          // S next so far, float64, on the network's device
  };
  std::vector<Space> spaces;  // by chain
  std::vector<bool> wanted;   // chains with a neuron that is not done
  int64_t pass = 0;
  bool isUnderWay(const IndicesOptions& options) const;
};

// Seeded normal rows [rows, d] in float64 for a pass of a chain: the same in
// every process and after every resume.
at::Tensor randomRows(int64_t rows, int64_t d, const IndicesOptions& options,
                      int64_t pass, size_t chain);

// All of a search as tensors, and back; chains that are done have none.
// `hasSums`: with the products of the pass under way.
void tellLobpcg(const Lobpcg& search, const Network& network, bool hasSums,
                NamedTensors* tensors);
// Throws E_RESUME if the tensors do not fit.
void takeLobpcg(const KeptTensors& source, const Network& network,
                const IndicesOptions& options, Lobpcg* to);

}  // namespace splitgrow
