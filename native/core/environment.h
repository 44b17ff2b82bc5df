// What one JavaScript environment (main thread or Worker) owns.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "boundary.h"
#include "live_handles.h"

namespace splitgrow {

// Counts running tasks so that a closing environment can wait for them.
struct Running {
  std::mutex mutex;
  std::condition_variable changed;
  int tasks = 0;
};

struct Environment {
  Napi::FunctionReference handleClass;
  bool isMakingHandle = false;
  std::shared_ptr<AbortFlag> closing = std::make_shared<AbortFlag>(false);
  std::shared_ptr<Running> running = std::make_shared<Running>();
  // Shared with the handles, which may outlive it.
  std::shared_ptr<LiveHandles> live = std::make_shared<LiveHandles>();
};

inline Environment& environment(Napi::Env env) {
  return *env.GetInstanceData<Environment>();
}
Napi::Function defineHandle(Napi::Env env);

}  // namespace splitgrow
