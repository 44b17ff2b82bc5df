// Which ranks of a group still live: asked after a failed collective. A rank
// may be alive and not know yet that another one has gone, so all of them show
// signs of life by themselves.
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

// Whom the failure is due to, for people: a clause without a full stop. Takes a
// few seconds at most, whatever state the others and the store are in.
std::string callRoll(const Member& member);

// Leaves after a failure: tells the others why, or nothing where they know;
// then lets go of the connections by `close`, by which those notice who have
// not; the store stays until they have asked it.
void depart(const Member& member, const std::string& words,
            std::function<void()> close);

// Waits until every rank has come, `timeout` at most; the ranks that have not,
// for people; empty: all are there.
std::string awaitAll(const Member& member, std::chrono::milliseconds timeout);

}  // namespace splitgrow
