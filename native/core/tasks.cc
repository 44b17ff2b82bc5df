// Calls that run on a thread of their own and settle a promise.
#include <chrono>
#include <thread>

#include "boundary.h"
#include "environment.h"
#include "group.h"
#include "memory.h"

namespace splitgrow {

namespace {

// LibTorch's texts end in a C++ trace; its first line says what was wrong.
std::string firstLine(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Napi::Error toJsError(Napi::Env env, const std::exception_ptr& failure) {
  std::string code = "E_INTERNAL", text = "unknown C++ exception";
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    code = error.code;
    text = error.what();
  } catch (const c10::Error& error) {
    code = "E_NATIVE";
    text = firstLine(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    code = "E_NATIVE";
    text = "out of memory";
  } catch (const std::exception& error) {
    code = "E_NATIVE";
    text = firstLine(error.what());
  } catch (...) {
    // What the text begins with says it.
  }
  auto error = Napi::Error::New(env, text);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

struct Task {
  Napi::Promise::Deferred deferred;
  Napi::FunctionReference progress;
  Napi::ThreadSafeFunction toJs;
  ToJs result;
  std::exception_ptr failure;
};

void settlePromise(Napi::Env env, Task* task) {
  if (!task->failure) {
    try {
      task->deferred.Resolve(task->result(env));
      return;
    } catch (const Napi::Error& error) {
      task->deferred.Reject(error.Value());
      return;
    } catch (...) {
      task->failure = std::current_exception();
    }
  }
  task->deferred.Reject(toJsError(env, task->failure).Value());
}

void settle(Napi::Env env, Task* task) {
  // Without an environment its references cannot be given back: leave them.
  if (static_cast<napi_env>(env) == nullptr) return;
  const std::unique_ptr<Task> owned(task);
  Napi::HandleScope scope(env);
  try {
    settlePromise(env, task);
  } catch (const Napi::Error&) {
    // A Worker that is being terminated: nobody waits for the promise.
  }
}

void tell(Napi::Env env, Task* task, const ProgressReport& report) {
  if (static_cast<napi_env>(env) == nullptr) return;
  Napi::HandleScope scope(env);
  auto object = Napi::Object::New(env);
  object.Set("phase", report.phase);
  object.Set("done", static_cast<double>(report.done));
  object.Set("total", static_cast<double>(report.total));
  object.Set("images", static_cast<double>(report.images));
  object.Set("seconds", report.seconds);
  object.Set("loss", report.loss);
  if (report.loader) object.Set("loader", toLoaderStats(env, *report.loader));
  try {
    task->progress.Call({object});
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();  // reaches 'uncaughtException'
  }
}

std::function<void(const ProgressReport&)> thinned(Task* task) {
  using Clock = std::chrono::steady_clock;
  auto last = std::make_shared<Clock::time_point>();
  return [task, last](const ProgressReport& report) {
    if (task->progress.IsEmpty()) return;
    const auto now = Clock::now();
    const bool isLast = report.done == report.total;
    if (!isLast && now - *last < std::chrono::milliseconds(100)) return;
    *last = now;
    auto* copy = new ProgressReport(report);
    const auto status = task->toJs.NonBlockingCall(
        copy, [task](Napi::Env env, Napi::Function, ProgressReport* sent) {
          const std::unique_ptr<ProgressReport> owned(sent);
          tell(env, task, *sent);
        });
    if (status != napi_ok) delete copy;
  };
}

}  // namespace

void rethrow(Napi::Env env, const std::exception_ptr& failure) {
  throw toJsError(env, failure);
}

bool Control::isAborted() const { return (abort && *abort) || *closing; }

void Control::check() const {
  require(!isAborted(), "E_ABORTED", "the work was aborted");
}

void initBoundary(Napi::Env env) {
  auto* here = new Environment();
  env.SetInstanceData<Environment>(here);
  here->handleClass = Napi::Persistent(defineHandle(env));
  here->handleClass.SuppressDestruct();
  // A Worker that is terminated waits for its threads, which stop early.
  env.AddCleanupHook([closing = here->closing, running = here->running] {
    *closing = true;
    std::unique_lock<std::mutex> lock(running->mutex);
    running->changed.wait(lock, [&] { return running->tasks == 0; });
  });
}

Napi::Value runTask(const Napi::CallbackInfo& info, Napi::Value progress,
                    Napi::Value abort, Work work) {
  Napi::Env env = info.Env();
  Environment& here = environment(env);
  Control control;
  control.abort = fromHandleOrNull<AbortFlag>(abort);
  control.closing = here.closing;

  auto* task = new Task{Napi::Promise::Deferred::New(env), {}, {}, {}, {}};
  const Napi::Promise promise = task->deferred.Promise();
  if (progress.IsFunction())
    task->progress = Napi::Persistent(progress.As<Napi::Function>());
  task->toJs =
      Napi::ThreadSafeFunction::New(env, Napi::Function(), "splitgrow", 0, 1);
  control.report = thinned(task);

  const std::shared_ptr<Running> running = here.running;
  {
    const std::lock_guard<std::mutex> lock(running->mutex);
    ++running->tasks;
  }
  std::thread([task, work = std::move(work), control, running]() mutable {
    try {
      // Ranks stop together: see Agreement.
      if (groupWorld() == 1) control.check();
      task->result = work(control);
    } catch (...) {
      task->failure = std::current_exception();
    }
    work = nullptr;
    emptyMemory();
    const Napi::ThreadSafeFunction toJs = task->toJs;
    const auto status = toJs.BlockingCall(
        task,
        [](Napi::Env env, Napi::Function, Task* done) { settle(env, done); });
    if (status == napi_ok) {
      toJs.Release();
    }  // else the environment is gone, and with it the promise
    const std::lock_guard<std::mutex> lock(running->mutex);
    --running->tasks;
    running->changed.notify_all();
  }).detach();
  return promise;
}

}  // namespace splitgrow
