// A thread that ends the process if JavaScript does not hear a signal.
#include "watch.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>
#include <thread>

namespace splitgrow {

namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGUSR1};
constexpr long kTickMs = 50;

// What the handler and the thread read. It is never freed: both may run until
// the process has ended.
struct Watch {
  sem_t wake;
  clockid_t mainClock;
  std::array<struct sigaction, NSIG> before;
  std::string words;
  long busyMs;
  std::atomic<int> number{0};
  std::atomic<unsigned> beats{0};
  std::atomic<bool> isOn{false};
};
Watch* watch = nullptr;

// Runs on whatever thread gets the signal, in the middle of anything: it calls
// only what is async-signal-safe.
void onSignal(int number, siginfo_t* info, void* context) {
  const int error = errno;
  int none = 0;
  if (watch->isOn && watch->number.compare_exchange_strong(none, number))
    sem_post(&watch->wake);
  const struct sigaction& next = watch->before[static_cast<size_t>(number)];
  if ((next.sa_flags & SA_SIGINFO) != 0)
    next.sa_sigaction(number, info, context);
  else
    next.sa_handler(number);
  errno = error;
}

// CPU time of the main thread; 0 once it has ended.
long mainMs() {
  timespec spent{};
  if (clock_gettime(watch->mainClock, &spent) != 0) return 0;
  return spent.tv_sec * 1000 + spent.tv_nsec / 1'000'000;
}

// If nobody reads the words they are lost: a full pipe must not keep the
// process alive.
[[noreturn]] void end() {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 0) == 1) {
    const std::string& words = watch->words;
    [[maybe_unused]] const ssize_t wrote =
        ::write(STDERR_FILENO, words.data(), words.size());
  }
  ::_exit(128 + watch->number);
}

void waitForBeats() {
  const timespec tick{0, kTickMs * 1'000'000};
  unsigned seen = watch->beats;
  long busyFrom = mainMs();
  // beginWatch() clears the number: a watch that began meanwhile is another.
  while (watch->isOn && watch->number != 0) {
    nanosleep(&tick, nullptr);
    if (const unsigned now = watch->beats; now != seen) {
      seen = now;
      busyFrom = mainMs();
    } else if (watch->isOn && mainMs() - busyFrom >= watch->busyMs) {
      end();
    }
  }
}

void watchForEver() {
  for (;;) {
    if (sem_wait(&watch->wake) == 0) waitForBeats();
  }
}

// The thread takes no signals: their handlers expect the threads that Node.js
// made.
bool startThread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool isStarted = true;
  try {
    std::thread(watchForEver).detach();
  } catch (const std::system_error&) {
    isStarted = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return isStarted;
}

// Once a process. The clock is that of the calling thread.
bool prepare() {
  if (watch != nullptr) return true;
  Watch* const made = new (std::nothrow) Watch{};
  if (made == nullptr) return false;
  watch = made;
  if (sem_init(&made->wake, 0, 0) == 0 &&
      pthread_getcpuclockid(pthread_self(), &made->mainClock) == 0 &&
      startThread())
    return true;
  watch = nullptr;
  delete made;
  return false;
}

}  // namespace

bool beginWatch(const std::string& words, long busyMs) {
  if (!prepare() || watch->isOn) return false;
  watch->words = words;
  watch->busyMs = busyMs;
  watch->number = 0;
  ++watch->beats;
  watch->isOn = true;
  for (const int number : kSignals) {
    struct sigaction found{};
    if (sigaction(number, nullptr, &found) != 0) continue;
    const bool isOurs =
        (found.sa_flags & SA_SIGINFO) != 0 && found.sa_sigaction == onSignal;
    // Without a handler the system ends the process itself.
    if (isOurs || found.sa_handler == SIG_DFL || found.sa_handler == SIG_IGN)
      continue;
    watch->before[static_cast<size_t>(number)] = found;
    found.sa_sigaction = onSignal;
    found.sa_flags |= SA_SIGINFO;
    sigaction(number, &found, nullptr);
  }
  return true;
}

void beat() {
  if (watch != nullptr) ++watch->beats;
}

void endWatch() {
  if (watch != nullptr) watch->isOn = false;
}

}  // namespace splitgrow
