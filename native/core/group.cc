// Rendezvous by TCPStore, collectives by ProcessGroupGloo.
#include "group.h"

#define USE_C10D_GLOO
#include <memory>
#include <mutex>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "error.h"

namespace splitgrow {

namespace {

struct Group {
  int rank = 0, world = 1;
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
};
std::mutex mutex;
std::shared_ptr<Group> current;

std::shared_ptr<Group> group() {
  const std::lock_guard<std::mutex> lock(mutex);
  return current;
}

[[noreturn]] void fail(const char* doing, const std::exception& error) {
  const std::string text = error.what();
  throw Error("E_DISTRIBUTED", std::string(doing) + ": " +
                                   text.substr(0, text.find('\n')) +
                                   "; a rank has ended or cannot be reached");
}

}  // namespace

void joinGroup(const GroupOptions& options) {
  auto joined = std::make_shared<Group>();
  joined->rank = options.rank;
  joined->world = options.world;
  const auto timeout = std::chrono::milliseconds(options.timeoutMs);
  try {
    c10d::TCPStoreOptions store;
    store.port = static_cast<uint16_t>(options.port);
    store.isServer = options.isServer;
    store.numWorkers = static_cast<size_t>(options.world);
    store.waitWorkers = false;
    store.timeout = timeout;
    joined->store = c10::make_intrusive<c10d::PrefixStore>(
        options.prefix,
        c10::make_intrusive<c10d::TCPStore>(options.host, store));
    auto gloo = c10d::ProcessGroupGloo::Options::create(timeout);
    gloo->devices.push_back(
        options.host == "127.0.0.1" || options.host == "localhost"
            ? c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1")
            : c10d::ProcessGroupGloo::createDefaultDevice());
    joined->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(
        joined->store, options.rank, options.world, gloo);
  } catch (const std::exception& error) {
    fail("joining the group of ranks", error);
  }
  const std::lock_guard<std::mutex> lock(mutex);
  current = joined;
}

void leaveGroup() {
  const std::lock_guard<std::mutex> lock(mutex);
  current = nullptr;
}

int groupRank() {
  const auto here = group();
  return here ? here->rank : 0;
}
int groupWorld() {
  const auto here = group();
  return here ? here->world : 1;
}

void sumOverGroup(const at::Tensor& tensor) {
  const auto here = group();
  if (!here || here->world == 1) return;
  try {
    // Gloo works on the host; tensors of a GPU go there and back.
    std::vector<at::Tensor> host = {tensor.to(at::kCPU).contiguous()};
    here->gloo->allreduce(host)->wait();
    if (host[0].data_ptr() != tensor.data_ptr()) tensor.copy_(host[0]);
  } catch (const std::exception& error) {
    fail("exchanging sums with the other ranks", error);
  }
}

}  // namespace splitgrow
