// Each question to the store has a thread of its own and a time limit, because
// the store itself may have gone.
#include "ranks/roll_call.h"

#include <optional>
#include <vector>

namespace splitgrow {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPoll{50}, kBeat{250};
// For how long a rank without a beat still counts as alive, and how long all
// are waited for.
constexpr milliseconds kListen{1500}, kFarewell{2500}, kStoreGrace{4000};
constexpr size_t kMostWords = 500, kMostNamed = 8;

std::string keyOf(const char* what, int rank) {
  return std::string("roll-call/") + what + "/" + std::to_string(rank);
}

std::string list(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t i = 0; i < ranks.size() && i < kMostNamed; ++i)
    text += (i > 0 ? ", " : "") + std::to_string(ranks[i]);
  if (ranks.size() > kMostNamed)
    text += " and " + std::to_string(ranks.size() - kMostNamed) + " more";
  return text;
}

// The other ranks for which `isHeard` has not become true by then.
std::vector<int> await(const Member& member, milliseconds limit,
                       const std::function<bool(int rank)>& isHeard) {
  std::vector<int> silent;
  for (int rank = 0; rank < member.world; ++rank)
    if (rank != member.rank) silent.push_back(rank);
  const auto end = Clock::now() + limit;
  for (;;) {
    std::vector<int> left;
    for (const int rank : silent)
      if (!isHeard(rank)) left.push_back(rank);
    silent = left;
    if (silent.empty() || Clock::now() >= end) return silent;
    std::this_thread::sleep_for(kPoll);
  }
}

void put(const Member& member, const char* what, const std::string& text) {
  member.store->set(keyOf(what, member.rank),
                    std::vector<uint8_t>(text.begin(), text.end()));
}

bool hasLeft(const Member& member, int rank) {
  return member.store->check({keyOf("left", rank)});
}

// The message of the first rank that ended by an error of its own.
std::string wordsOf(const Member& member) {
  for (int rank = 0; rank < member.world; ++rank) {
    if (rank == member.rank || !hasLeft(member, rank)) continue;
    const auto words = member.store->get(keyOf("left", rank));
    if (words.size() > 1)
      return "rank " + std::to_string(rank) + " ended by " +
             std::string(words.begin() + 1, words.end());
  }
  return "";
}

std::string ask(const Member& member) {
  const auto beat = [&](int rank) {
    return member.store->add(keyOf("beat", rank), 0);
  };
  std::vector<int64_t> before(member.world, 0);
  for (int rank = 0; rank < member.world; ++rank) before[rank] = beat(rank);
  const auto silent = await(member, kListen, [&](int rank) {
    return beat(rank) > before[rank] || hasLeft(member, rank);
  });
  std::string words = wordsOf(member);
  if (!words.empty()) return words;
  if (!silent.empty())
    return list(silent) + (silent.size() == 1 ? " does" : " do") +
           " not answer: ended, stopped or out of reach";
  return "every rank answers: a connection was lost, or a rank was late";
}

// Runs `work`, which does not throw, on a thread that nobody waits for.
void detached(std::function<void()> work) {
  auto counted = std::make_shared<CountedThread>();
  std::thread([counted = std::move(counted), work = std::move(work)]() mutable {
    work();
    work = nullptr;
    counted.reset();
  }).detach();
}

// What a thread answers, once it does.
struct Answer {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::string> words;
};

// The result of `work`, or `otherwise` where it fails or takes too long.
std::string within(milliseconds limit, const std::string& otherwise,
                   std::function<std::string()> work) {
  auto answer = std::make_shared<Answer>();
  detached([answer, otherwise, work = std::move(work)] {
    std::string words = otherwise;
    try {
      words = work();
    } catch (...) {
      // `otherwise` says it.
    }
    const std::lock_guard<std::mutex> lock(answer->mutex);
    answer->words = std::move(words);
    answer->changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(answer->mutex);
  answer->changed.wait_for(lock, limit,
                           [&] { return answer->words.has_value(); });
  return answer->words.value_or(otherwise);
}

}  // namespace

Heartbeat::Heartbeat(const Member& member)
    : thread_([this, store = member.store, key = keyOf("beat", member.rank)] {
        std::unique_lock<std::mutex> lock(mutex_);
        try {
          while (!isOver_) {
            lock.unlock();
            store->add(key, 1);
            lock.lock();
            changed_.wait_for(lock, kBeat, [this] { return isOver_; });
          }
        } catch (...) {
          // The store has gone, which the next collective will tell.
        }
      }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    isOver_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

std::string callRoll(const Member& member) {
  return within(kStoreGrace,
                "the store of the ranks does not answer, so what serves it "
                "(rank 0, or torchrun's agent) has ended or is out of reach",
                [member] { return ask(member); });
}

void depart(const Member& member, const std::string& words,
            std::function<void()> close) {
  within(kListen, "", [member, words] {
    put(member, "left", " " + words.substr(0, kMostWords));
    return std::string();
  });
  // It waits for collectives under way, for as long as those may take.
  detached([close = std::move(close)] {
    try {
      close();
    } catch (...) {
      // The connections are gone, which is what was wanted.
    }
  });
  if (!member.isServer) return;
  within(kStoreGrace, "", [member] {
    await(member, kFarewell, [&](int rank) { return hasLeft(member, rank); });
    return std::string();
  });
}

std::string awaitAll(const Member& member, milliseconds timeout) {
  put(member, "joined", "1");
  const auto missing = await(member, timeout, [&](int rank) {
    return member.store->check({keyOf("joined", rank)});
  });
  return missing.empty() ? "" : list(missing);
}

}  // namespace splitgrow
