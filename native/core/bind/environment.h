// What one JavaScript environment (main thread or Worker) owns.
#pragma once

#include <napi.h>

#include <memory>
#include <set>

#include "bind/boundary.h"
#include "bind/live_handles.h"

namespace splitgrow {

// Tasks that have not settled. Touched by the environment's own thread alone.
struct Task;
using Tasks = std::set<std::shared_ptr<Task>>;

struct Environment {
  Napi::FunctionReference handleClass;
  bool isMakingHandle = false;
  std::shared_ptr<AbortFlag> closing = std::make_shared<AbortFlag>(false);
  std::shared_ptr<Tasks> tasks = std::make_shared<Tasks>();
  // Threads of the next task. 0: as many as the tasks of the process have.
  int threads = 0;
  // Shared with the handles, which may live longer.
  std::shared_ptr<LiveHandles> live = std::make_shared<LiveHandles>();
};

inline Environment& environment(Napi::Env env) {
  return *env.GetInstanceData<Environment>();
}
Napi::Function defineHandle(Napi::Env env);

}  // namespace splitgrow
