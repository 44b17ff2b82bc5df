// At which addresses a rank listens: only at those by which ranks meet.
#pragma once

#include <string>

namespace splitgrow {

// A socket bound to `port` of this machine's address that `host` names, to be
// listened on; -1 where `host` names none: it is another machine's name for
// this one, or this machine knows itself by loopback alone, and others do not.
// E_DISTRIBUTED where the port is taken.
int bindWhereRanksMeet(const std::string& host, int port);

// The address, in numbers, from which this machine reaches `host`; empty where
// that is not known, or would be loopback and `host` is not.
std::string addressTowards(const std::string& host, int port);

}  // namespace splitgrow
