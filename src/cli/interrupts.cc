#include "cli/interrupts.h"

#include <unistd.h>

namespace s3lt {
namespace {

volatile std::sig_atomic_t interrupts = 0;

void on_signal(int) {
  if (interrupts > 0) _exit(130);
  interrupts = 1;
}

}  // namespace

const volatile std::sig_atomic_t& catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupts;
}

}  // namespace s3lt
