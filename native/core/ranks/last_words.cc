#include "ranks/last_words.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace splitgrow {

namespace {

std::atomic<int> speaking = -1;
std::terminate_handler before = nullptr;

[[noreturn]] void speak() {
  const int rank = speaking;
  const std::exception_ptr thrown = std::current_exception();
  if (rank < 0 || !thrown) {
    if (before != nullptr) before();
    std::abort();
  }
  std::string text = "an unknown error";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    text = firstLine(error);
  } catch (...) {
    // `text` says it.
  }
  const std::string line =
      "splitgrow: E_DISTRIBUTED: rank " + std::to_string(rank) +
      " cannot go on exchanging with the others: " + text +
      "; start every rank with the same version of splitgrow, the same "
      "experiment and the same data\n";
  size_t done = 0;
  while (done < line.size()) {
    const ssize_t written =
        ::write(STDERR_FILENO, line.data() + done, line.size() - done);
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  ::_exit(1);
}

}  // namespace

std::string firstLine(const std::exception& error) {
  std::string text = error.what();
  // "[/pytorch/...] " or "[enforce fail at ...] ".
  const size_t end = text.find("] ");
  if (text.rfind('[', 0) == 0 && end != std::string::npos)
    text = text.substr(end + 2);
  return text.substr(0, text.find('\n'));
}

void speakBeforeTerminating(int rank) {
  if (speaking.exchange(rank) < 0) before = std::set_terminate(speak);
}

}  // namespace splitgrow
