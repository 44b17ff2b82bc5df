// At which addresses a rank listens: only at those by which ranks meet.
#pragma once

#include <string>

namespace splitgrow {

// A socket to listen on, bound to `port` of the address of this machine that
// `host` names. -1 if `host` names no address here: other machines may use a
// name that this one does not know, or this one knows only its loopback
// address. Throws E_DISTRIBUTED if the port is taken.
int bindWhereRanksMeet(const std::string& host, int port);

// The address, in numbers, from which this machine reaches `host`. Empty if it
// is not known, or if it would be loopback though `host` is not.
std::string addressTowards(const std::string& host, int port);

}  // namespace splitgrow
