// Random numbers that follow from the place where they are used, so that they
// are the same for any number of threads, ranks and interruptions.
#pragma once

#include <cstdint>

namespace splitgrow {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection of 64 bits
// in which every input bit moves every output bit.
inline uint64_t scrambled(uint64_t value) {
  uint64_t z = value + 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace splitgrow
