// The one exception of the core: a code of lib/errors.ts and a text.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace splitgrow {

struct Error : std::runtime_error {
  Error(std::string code_, const std::string& text)
      : std::runtime_error(text), code(std::move(code_)) {}
  std::string code;
};

// Throws Error{code} with the parts joined, unless `holds`.
template <class... Parts>
void require(bool holds, const char* code, const Parts&... parts) {
  if (holds) return;
  std::ostringstream text;
  (text << ... << parts);
  throw Error(code, text.str());
}

}  // namespace splitgrow
