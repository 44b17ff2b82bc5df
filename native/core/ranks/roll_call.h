// Finds out which ranks of a group still live, after a collective has failed. A
// rank may not know yet that another one has gone, so every rank gives signs of
// life without being asked.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "tensor/exit.h"

namespace splitgrow {

// Where this rank stands in the group, and the store that the ranks share.
struct Member {
  int rank = 0, world = 1;
  bool isServer = false;  // the store ends with this process
  c10::intrusive_ptr<c10d::Store> store;
};

// Counts up in the store for as long as this process runs.
class Heartbeat {
 public:
  explicit Heartbeat(const Member& member);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  const CountedThread counted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool isOver_ = false;
  std::thread thread_;
};

// Which rank caused the failure, as a clause without a full stop for a message.
// Takes a few seconds at most, even if other ranks or the store have gone.
std::string callRoll(const Member& member);

// Leaves after a failure. Tells the others why, unless they know; then closes
// the connections by `close`, so that the rest notice; keeps the store until
// they have asked it.
void depart(const Member& member, const std::string& words,
            std::function<void()> close);

// Waits until every rank has come, at most for `timeout`. Gives the ranks that
// have not come, as text for a message; empty: all are there.
std::string awaitAll(const Member& member, std::chrono::milliseconds timeout);

}  // namespace splitgrow
