// Calls that run on a thread of their own and settle a promise.
#include <algorithm>
#include <chrono>
#include <mutex>
#include <system_error>
#include <thread>

#include "bind/boundary.h"
#include "bind/environment.h"
#include "ranks/group.h"
#include "tensor/exit.h"
#include "tensor/memory.h"
#include "tensor/threads.h"

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
    // The text stays "unknown C++ exception".
  }
  auto error = Napi::Error::New(env, text);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

}  // namespace

// The environment and the thread both hold it.
struct Task {
  explicit Task(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}

  // Calls the environment's thread, unless the environment has closed: then
  // nothing is left to call.
  void reach(const std::function<napi_status()>& call) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (isOpen) isOpen = call() == napi_ok;
  }
  void close() {
    const std::lock_guard<std::mutex> lock(mutex);
    isOpen = false;
  }

  // Of the environment's thread.
  const Napi::Promise::Deferred deferred;
  Napi::FunctionReference progress;
  std::thread thread;
  // Of the task's own thread, until it has told that it is done.
  ToJs result;
  std::exception_ptr failure;
  bool tellsProgress = false;
  Napi::ThreadSafeFunction toJs;

 private:
  std::mutex mutex;
  bool isOpen = true;
};

namespace {

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

// Waits until the thread has ended: until then it may use what exit() destroys.
void end(Task* task) {
  task->thread.join();
  uncountThread();
}

void settle(Napi::Env env, Task* task) {
  const Napi::HandleScope scope(env);
  Tasks& tasks = *environment(env).tasks;
  const auto found =
      std::find_if(tasks.begin(), tasks.end(),
                   [task](const auto& one) { return one.get() == task; });
  if (found == tasks.end()) return;
  const std::shared_ptr<Task> owned = *found;
  tasks.erase(found);
  end(task);
  try {
    settlePromise(env, task);
  } catch (const Napi::Error&) {
    // A Worker that is being terminated: nobody waits for the promise.
  }
}

// Called before the environment closes, so that no task reaches it afterwards.
// The tasks stop early, and this waits for them. If the whole process ends, it
// does not wait: the tasks end with the process.
void closeAll(Tasks* tasks) {
  for (const auto& task : *tasks) {
    task->close();
    if (isExiting())
      task->thread.detach();
    else
      end(task.get());
    task->progress.Reset();
  }
  tasks->clear();
}

void tell(Napi::Env env, Task* task, const ProgressReport& report) {
  const Napi::HandleScope scope(env);
  try {
    auto object = Napi::Object::New(env);
    object.Set("phase", report.phase);
    object.Set("done", static_cast<double>(report.done));
    object.Set("total", static_cast<double>(report.total));
    object.Set("images", static_cast<double>(report.images));
    object.Set("seconds", report.seconds);
    object.Set("loss", report.loss);
    if (report.loader) object.Set("loader", toLoaderStats(env, *report.loader));
    task->progress.Call({object});
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();  // reaches 'uncaughtException'
  }
}

std::function<void(const ProgressReport&)> thinned(Task* task) {
  using Clock = std::chrono::steady_clock;
  auto last = std::make_shared<Clock::time_point>();
  return [task, last](const ProgressReport& report) {
    guardExitAgain();
    if (!task->tellsProgress) return;
    const auto now = Clock::now();
    const bool isLast = report.done == report.total;
    if (!isLast && now - *last < std::chrono::milliseconds(100)) return;
    *last = now;
    auto copy = std::make_unique<ProgressReport>(report);
    task->reach([task, &copy] {
      const auto status = task->toJs.NonBlockingCall(
          copy.get(), [task](Napi::Env env, Napi::Function, auto* sent) {
            const std::unique_ptr<ProgressReport> owned(sent);
            tell(env, task, *sent);
          });
      if (status == napi_ok) copy.release();
      return status;
    });
  };
}

void work(Task* task, const Control& control, const Work& given, int threads) {
  try {
    computeWith(threads);
    // Ranks stop together: see Agreement.
    if (groupWorld() == 1) control.check();
    task->result = given(control);
  } catch (...) {
    task->failure = std::current_exception();
  }
}

}  // namespace

void rethrow(Napi::Env env, const std::exception_ptr& failure) {
  throw toJsError(env, failure);
}

void initBoundary(Napi::Env env) {
  auto* here = new Environment();
  env.SetInstanceData<Environment>(here);
  here->handleClass = Napi::Persistent(defineHandle(env));
  here->handleClass.SuppressDestruct();
  env.AddCleanupHook([closing = here->closing, tasks = here->tasks] {
    *closing = true;
    closeAll(tasks.get());
  });
}

Napi::Value runTask(const Napi::CallbackInfo& info, Napi::Value progress,
                    Napi::Value abort, Work given) {
  Napi::Env env = info.Env();
  Environment& here = environment(env);
  Control control;
  control.abort = fromHandleOrNull<AbortFlag>(abort);
  control.closing = here.closing;

  const auto task = std::make_shared<Task>(env);
  const Napi::Promise promise = task->deferred.Promise();
  if (progress.IsFunction()) {
    task->progress = Napi::Persistent(progress.As<Napi::Function>());
    task->tellsProgress = true;
  }
  task->toJs =
      Napi::ThreadSafeFunction::New(env, Napi::Function(), "splitgrow", 0, 1);
  control.report = thinned(task.get());

  here.tasks->insert(task);
  countThread();
  try {
    const int threads = here.threads > 0 ? here.threads : taskThreads();
    task->thread = std::thread(
        [task, given = std::move(given), control, threads]() mutable {
          work(task.get(), control, given, threads);
          given = nullptr;
          emptyMemory();
          task->reach([&task] {
            const auto status = task->toJs.BlockingCall(
                task.get(), [](Napi::Env env, Napi::Function, Task* done) {
                  settle(env, done);
                });
            if (status == napi_ok) task->toJs.Release();
            return status;
          });
        });
  } catch (const std::system_error& error) {
    uncountThread();
    here.tasks->erase(task);
    task->toJs.Release();
    task->failure = std::make_exception_ptr(noThread(error));
    settlePromise(env, task.get());
  }
  return promise;
}

}  // namespace splitgrow
