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
// In the first passes each of a chain's n neurons has one direction. In later
// ones a neuron has more if its residual falls too slowly: the method is then
// block Lanczos. Of a chain of 4 neurons, 0 and 3 are done, and 1 is slow:
//   owners   1, 1, 2
//   next     [3, d]: two directions of neuron 1, one of neuron 2
//
// A neuron is done when its residual |S v - index v|, and the change of its
// index in the latest pass, are at most `tolerance` of |index| (or of a
// hundredth of the chain's lowest index). What is certain: an eigenvalue lies
// within the residual of the index, and the smallest one is no larger than the
// index. That it is the same eigenvalue is all but certain, because the basis
// began at random. The error is near residual^2 / gap. A stop by that bound was
// tried: it saves a tenth of the work, and is wrong about one neuron in a
// hundred, which had found another eigenvalue.
struct Lobpcg {
  Lobpcg(const Network& network, const std::vector<bool>& wanted,
         const IndicesOptions& options);

  // One chain. All but `sums` is on the host.
  struct Space {
    // By neuron: orthonormal rows, and S times each, [rows, d]. Undefined
    // before the first pass, and for a neuron that is done.
    Tensors basis, products;
    Tensors grams;            // as Ritz keeps them, or nothing
    at::Tensor next, owners;  // of the pass under way; int64 [rows], ascending
    at::Tensor sums;          // S next so far, float64, on the network's device
  };
  std::vector<Space> spaces;  // by chain
  std::vector<bool> wanted;   // chains with a neuron that is not done
  int64_t pass = 0;

  // What S p takes of the images. A pass goes through the network for the other
  // chains alone. It is kept in the first pass, or anew where a search goes on
  // from tensors. In it are `steps` minibatches and the images of them that
  // could be read, over all ranks.
  struct Images {
    engine::Kept layers;
    bool isChosen = false;
    int64_t steps = 0;
    double read = 0;
    bool has(size_t chain) const {
      return chain < layers.size() && layers[chain] != nullptr;
    }
  };
  Images images;
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
