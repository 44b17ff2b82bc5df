// The points of Winograd's F(4 x 4, 3 x 3) (Lavin & Gray, arXiv 1509.09308): 0,
// p, -p, q, -q and infinity. Rounding errors of plain sums are multiplied by
// two in outputs and by five in gradients of weights; with the paper's p = 1
// and q = 2 by five and ten.
#pragma once

namespace splitgrow::engine::winograd {

constexpr float kP = 0.625f, kQ = 1.5f;
constexpr float kPp = kP * kP, kQq = kQ * kQ;

// Factors of the weights at 0, p and -p, q and -q.
constexpr float kAtZero = 1 / (kPp * kQq);
constexpr float kAtP = 1 / (2 * kPp * (kPp - kQq));
constexpr float kAtQ = 1 / (2 * kQq * (kQq - kPp));

}  // namespace splitgrow::engine::winograd
