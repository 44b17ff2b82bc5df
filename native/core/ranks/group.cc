// Rendezvous by TCPStore, collectives by ProcessGroupGloo, and by what the
// accelerator makes (NCCL) for tensors of its device.
#include "ranks/group.h"

#define USE_C10D_GLOO
#include <c10/util/Logging.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "ranks/last_words.h"
#include "ranks/meeting.h"
#include "ranks/roll_call.h"
#include "tensor/accelerator.h"
#include "tensor/error.h"

namespace splitgrow {

namespace {

struct Group {
  Member member;
  GroupOptions options;
  c10::intrusive_ptr<c10d::Backend> host, gpu;
  std::mutex making;
  std::atomic<bool> hasFailed = false;
  std::unique_ptr<Heartbeat> heartbeat;
};
std::mutex mutex;
std::shared_ptr<Group> current;

std::shared_ptr<Group> group() {
  const std::lock_guard<std::mutex> lock(mutex);
  return current;
}

[[noreturn]] void fail(Group& here, const char* doing,
                       const std::exception& error) {
  here.hasFailed = true;
  throw Error("E_DISTRIBUTED", std::string(doing) + ": " +
                                   callRoll(here.member) + " (" +
                                   firstLine(error) + ")");
}

// First the interface that NCCL and PyTorch's Gloo would take; else the address
// from which this machine reaches the place where ranks meet; else the address
// of its name.
std::shared_ptr<gloo::transport::Device> networkFor(const std::string& host,
                                                    int port) {
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface != nullptr && *interface != '\0')
    return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  const std::string address = addressTowards(host, port);
  return address.empty()
             ? c10d::ProcessGroupGloo::createDefaultDevice()
             : c10d::ProcessGroupGloo::createDeviceForHostname(address);
}

void refuseOtherSettings(const Member& member, const std::string& settings) {
  const std::string key = "settings";
  if (member.rank == 0)
    member.store->set(key,
                      std::vector<uint8_t>(settings.begin(), settings.end()));
  const auto bytes = member.store->get(key);
  const std::string first(bytes.begin(), bytes.end());
  require(first == settings, "E_DISTRIBUTED",
          "every rank must have the settings of rank 0, which are ", first,
          "; found ", settings, " on rank ", member.rank);
}

// c10d logs a stack of addresses if a connection ends or does not come. Our
// errors say what that means. 3: log only what is fatal.
void silenceLogs() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr)
    FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, 3);
}

void meet(Group* joining) {
  silenceLogs();
  speakBeforeTerminating(joining->options.rank);
  const GroupOptions& options = joining->options;
  Member& member = joining->member;
  const auto timeout = std::chrono::milliseconds(options.timeoutMs);
  c10d::TCPStoreOptions store;
  store.port = static_cast<uint16_t>(options.port);
  store.isServer = options.isServer;
  store.numWorkers = static_cast<size_t>(options.world);
  store.waitWorkers = false;
  store.timeout = timeout;
  if (options.isServer) {
    const int socket = bindWhereRanksMeet(options.host, options.port);
    if (socket >= 0) store.masterListenFd = socket;
  }
  member.store = c10::make_intrusive<c10d::PrefixStore>(
      options.prefix, c10::make_intrusive<c10d::TCPStore>(options.host, store));
  const std::string missing = awaitAll(member, timeout);
  require(missing.empty(), "E_DISTRIBUTED", "waiting for all ", options.world,
          " ranks: after ", static_cast<double>(options.timeoutMs) / 1000,
          " s ", missing,
          " had not joined; start every rank, or set SPLITGROW_RANK_TIMEOUT");
  refuseOtherSettings(member, options.settings);
  auto gloo = c10d::ProcessGroupGloo::Options::create(timeout);
  gloo->devices.push_back(networkFor(options.host, options.port));
  joining->host = c10::make_intrusive<c10d::ProcessGroupGloo>(
      member.store, options.rank, options.world, gloo);
  joining->heartbeat = std::make_unique<Heartbeat>(member);
}

// The backend for this tensor; null: it must go through the host.
c10::intrusive_ptr<c10d::Backend> backendOf(Group* here, const at::Tensor& t) {
  if (t.is_cpu()) return here->host;
  const Accelerator* table = acceleratorOn(t.device());
  if (table == nullptr || table->makeProcessGroup == nullptr) return nullptr;
  const std::lock_guard<std::mutex> lock(here->making);
  if (here->gpu == nullptr)
    here->gpu = table->makeProcessGroup(
        c10::make_intrusive<c10d::PrefixStore>("gpu", here->member.store),
        here->options.rank, here->options.world,
        std::chrono::milliseconds(here->options.timeoutMs));
  return here->gpu;
}

using Collective = c10::intrusive_ptr<c10d::Work> (*)(
    c10d::Backend* backend, std::vector<at::Tensor>* tensors);

// Begins a collective in place. A tensor that no backend takes goes to the host
// and back before this returns.
Wait begin(const at::Tensor& tensor, const char* doing, Collective collective) {
  const auto here = group();
  if (!here || here->options.world == 1) return [] {};
  try {
    const auto backend = backendOf(here.get(), tensor);
    std::vector<at::Tensor> list = {
        (backend ? tensor : tensor.to(at::kCPU)).contiguous()};
    auto work = collective((backend ? backend : here->host).get(), &list);
    const bool isCopy = !list[0].is_alias_of(tensor);
    auto finish = [=, copy = isCopy ? list[0] : at::Tensor()] {
      try {
        work->wait();
        if (copy.defined()) tensor.copy_(copy);
      } catch (const std::exception& error) {
        fail(*here, doing, error);
      }
    };
    if (backend) return finish;
    finish();
    return [] {};
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(*here, doing, error);
  }
}

}  // namespace

void joinGroup(const GroupOptions& options) {
  auto joined = std::make_shared<Group>();
  joined->options = options;
  joined->member = {options.rank, options.world, options.isServer, nullptr};
  try {
    meet(joined.get());
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("E_DISTRIBUTED",
                "joining the other ranks by " + options.host + ":" +
                    std::to_string(options.port) + ": " + firstLine(error) +
                    "; is rank 0 running there, and can it be reached?");
  }
  const std::lock_guard<std::mutex> lock(mutex);
  current = std::move(joined);
}

void leaveGroup(const std::string& reason) {
  std::shared_ptr<Group> here;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    here.swap(current);
  }
  if (!here || here->options.world == 1) return;
  if (reason.empty() && !here->hasFailed) return;
  const Member member = here->member;
  depart(member, reason, [here = std::move(here)]() mutable { here.reset(); });
}

int groupRank() {
  const auto here = group();
  return here ? here->options.rank : 0;
}
int groupWorld() {
  const auto here = group();
  return here ? here->options.world : 1;
}
int groupLocalRank() {
  const auto here = group();
  return here ? here->options.localRank : 0;
}
int64_t groupBucketBytes() {
  const auto here = group();
  return here ? here->options.bucketBytes : 0;
}

Wait beginSum(const at::Tensor& tensor) {
  return begin(tensor, "exchanging sums with the other ranks",
               [](c10d::Backend* backend, std::vector<at::Tensor>* tensors) {
                 return backend->allreduce(*tensors);
               });
}

void sumOverGroup(const at::Tensor& tensor) { beginSum(tensor)(); }

void broadcastOverGroup(const at::Tensor& tensor) {
  begin(tensor, "taking what rank 0 sends",
        [](c10d::Backend* backend, std::vector<at::Tensor>* tensors) {
          return backend->broadcast(*tensors);
        })();
}

}  // namespace splitgrow
