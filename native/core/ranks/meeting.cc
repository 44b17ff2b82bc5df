#include "ranks/meeting.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tensor/error.h"

namespace splitgrow {

namespace {

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

bool isLoopback(const Address& address) {
  if (address.bytes.ss_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(&address.bytes);
    return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* six = reinterpret_cast<const sockaddr_in6*>(&address.bytes);
  return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

bool isLoopbackName(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

// IPv4 first. Many systems give their own name a loopback address, which is of
// no use to other machines. So loopback counts only if `host` says it.
std::vector<Address> addressesOf(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) !=
      0)
    return {};
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.bytes, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
    if (isLoopback(address) == isLoopbackName(host))
      addresses.push_back(address);
  }
  freeaddrinfo(found);
  std::stable_partition(
      addresses.begin(), addresses.end(),
      [](const Address& one) { return one.bytes.ss_family == AF_INET; });
  return addresses;
}

// A socket that is closed at the end of its scope, unless it was released.
class Socket {
 public:
  Socket(int family, int type)
      : number_(::socket(family, type | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int number() const { return number_; }
  int release() {
    const int number = number_;
    number_ = -1;
    return number;
  }

 private:
  int number_;
};

}  // namespace

int bindWhereRanksMeet(const std::string& host, int port) {
  for (const Address& address : addressesOf(host, port)) {
    Socket socket(address.bytes.ss_family, SOCK_STREAM);
    if (socket.number() < 0) continue;
    const int yes = 1;
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(socket.number(), address.get(), address.length) == 0)
      return socket.release();
    const int why = errno;
    require(why != EADDRINUSE && why != EACCES, "E_DISTRIBUTED",
            "the ranks are to meet at ", host, ":", port,
            ", where rank 0 cannot listen: ", std::strerror(why),
            "; set MASTER_PORT to a free port");
  }
  return -1;
}

std::string addressTowards(const std::string& host, int port) {
  for (const Address& address : addressesOf(host, port)) {
    const Socket socket(address.bytes.ss_family, SOCK_DGRAM);
    // Nothing is sent: the system only chooses the address.
    if (socket.number() < 0 ||
        ::connect(socket.number(), address.get(), address.length) != 0)
      continue;
    Address mine;
    mine.length = sizeof mine.bytes;
    char text[NI_MAXHOST];
    if (::getsockname(socket.number(), mine.get(), &mine.length) != 0 ||
        isLoopback(mine) != isLoopback(address) ||
        getnameinfo(mine.get(), mine.length, text, sizeof text, nullptr, 0,
                    NI_NUMERICHOST) != 0)
      continue;
    return text;
  }
  return "";
}

}  // namespace splitgrow
