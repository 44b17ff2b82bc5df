// The smallest eigenpair of one large symmetric matrix.
#pragma once

#include <ATen/ATen.h>

namespace splitgrow {

// Of s [d, d] on the CPU, contiguous, of type T, finite, of which the upper
// triangle is read: the eigenvalue to 3e-8 of the largest |eigenvalue|, the
// unit vector [d], and |s v - value v|. False, and nothing is written, where
// that is not certain: the iteration did not converge, or it missed an
// eigenvalue.
template <class T>
bool smallestByLanczos(const at::Tensor& s, T* value, T* vector, T* residual);

}  // namespace splitgrow
