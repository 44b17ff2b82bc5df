// Keeps the addon to symbols of glibc 2.28 and of the libstdc++ of GCC 8, on
// x86-64, whatever newer system it is compiled on.
//
// A linker takes the newest version of a symbol that it sees. What is defined
// here, hidden, is what the rest of the library is linked with instead, and it
// goes on to the version that old systems have too. scripts/check-symbols.mjs
// names what else a compiler brings in: it becomes a row here.

#include <dlfcn.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

// Jumps to `target`, arguments and return address as they are.
#define FORWARD(name, target, version)                   \
  __asm__(".symver floor_" #name "," #target "@" version \
          "\n"                                           \
          ".pushsection .text\n"                         \
          ".p2align 4\n"                                 \
          ".globl " #name                                \
          "\n"                                           \
          ".hidden " #name                               \
          "\n"                                           \
          ".type " #name ",@function\n" #name            \
          ":\n"                                          \
          ".cfi_startproc\n"                             \
          "endbr64\n"                                    \
          "jmp *floor_" #name                            \
          "@GOTPCREL(%rip)\n"                            \
          ".cfi_endproc\n"                               \
          ".size " #name ",.-" #name                     \
          "\n"                                           \
          ".popsection\n")

// glibc 2.34 took libdl and libpthread into libc under a new version.
FORWARD(dladdr, dladdr, "GLIBC_2.2.5");
FORWARD(dlclose, dlclose, "GLIBC_2.2.5");
FORWARD(dlerror, dlerror, "GLIBC_2.2.5");
FORWARD(dlopen, dlopen, "GLIBC_2.2.5");
FORWARD(dlsym, dlsym, "GLIBC_2.2.5");
FORWARD(pthread_create, pthread_create, "GLIBC_2.2.5");
FORWARD(pthread_getcpuclockid, pthread_getcpuclockid, "GLIBC_2.2.5");
FORWARD(pthread_mutex_trylock, pthread_mutex_trylock, "GLIBC_2.2.5");
FORWARD(pthread_once, pthread_once, "GLIBC_2.2.5");
FORWARD(pthread_sigmask, pthread_sigmask, "GLIBC_2.2.5");
FORWARD(sem_init, sem_init, "GLIBC_2.2.5");
FORWARD(sem_post, sem_post, "GLIBC_2.2.5");
FORWARD(sem_wait, sem_wait, "GLIBC_2.2.5");
// Since glibc 2.29 without the error handling of System V.
FORWARD(exp, exp, "GLIBC_2.2.5");
FORWARD(log, log, "GLIBC_2.2.5");
FORWARD(pow, pow, "GLIBC_2.2.5");
// GCC 12: std::condition_variable::wait, no longer a point of cancellation.
FORWARD(_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE,
        _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE,
        "GLIBCXX_3.4.11");
// GCC 11: std::stringbuf::str() const&, C++20's name for str() const.
FORWARD(_ZNKRSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv,
        _ZNKSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv,
        "GLIBCXX_3.4.21");

#define HIDDEN extern "C" __attribute__((visibility("hidden")))

// Of glibc 2.32: whether libstdc++ may count references without atomics. Never.
HIDDEN char floorSingleThreaded __asm__("__libc_single_threaded");
char floorSingleThreaded = 0;

// fstat was inline before glibc 2.33 and called this.
extern "C" int __fxstat(int version, int descriptor,
                        struct stat* found) noexcept;

HIDDEN int floorFstat(int descriptor, struct stat* found) __asm__("fstat");
int floorFstat(int descriptor, struct stat* found) {
  constexpr int kVersion = 1;
  return __fxstat(kVersion, descriptor, found);
}

// Of glibc 2.30. On an older one time is measured by the wall clock, as the
// libstdc++ of GCC 9 did; callers look at their own clock when it returns.
HIDDEN int floorClockWait(
    pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
    const timespec* until) __asm__("pthread_cond_clockwait");
int floorClockWait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                   clockid_t clock, const timespec* until) {
  using Wait =
      int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  static const Wait wait =
      reinterpret_cast<Wait>(dlsym(RTLD_DEFAULT, "pthread_cond_clockwait"));
  if (wait != nullptr) return wait(condition, mutex, clock, until);
  constexpr long kSecond = 1'000'000'000;
  timespec now{}, wall{};
  clock_gettime(clock, &now);
  clock_gettime(CLOCK_REALTIME, &wall);
  timespec at{until->tv_sec - now.tv_sec + wall.tv_sec,
              until->tv_nsec - now.tv_nsec + wall.tv_nsec};
  for (; at.tv_nsec >= kSecond; at.tv_nsec -= kSecond) ++at.tv_sec;
  for (; at.tv_nsec < 0; at.tv_nsec += kSecond) --at.tv_sec;
  return pthread_cond_timedwait(condition, mutex, &at);
}
