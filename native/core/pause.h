// Stopping between two minibatches, so that the work can go on from there.
#pragma once

#include "boundary.h"
#include "net.h"

namespace splitgrow {

// Why work is paused: to be kept and to go on at once, or to end here.
enum class Pause : int { none = 0, checkpoint = 1, stop = 2 };
using PauseFlag = std::atomic<Pause>;
template <>
struct Kind<PauseFlag> {
  static constexpr const char* name = "pause";
};

// What has been asked for by now, at any rank: every rank gets the same answer,
// and so calls this once after each minibatch. Null: never.
Pause pauseAsked(const std::shared_ptr<PauseFlag>& flag);
// null, "checkpoint" or "stop".
Napi::Value toPause(Napi::Env env, Pause pause);
// The field `pause` of options; null where there is none.
std::shared_ptr<PauseFlag> readPause(const Napi::Object& options);

// What each rank has of its own, [ranks, ...], the same everywhere.
at::Tensor gatherRows(const at::Tensor& own);
// This rank's row of what gatherRows made of another group of as many ranks;
// undefined where there were not as many.
at::Tensor ownRow(const at::Tensor& rows);

// Batch norm's running statistics in one row, in the order of the nodes, and
// then their moving averages where they are kept.
at::Tensor statisticsOf(const Network& network);
void writeStatistics(Network* network, const at::Tensor& row);

// Exported: () and (handle, "checkpoint" | "stop").
Napi::Value createPause(const Napi::CallbackInfo& info);
Napi::Value askForPause(const Napi::CallbackInfo& info);

}  // namespace splitgrow
