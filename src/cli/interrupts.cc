#include "cli/interrupts.h"

#include <unistd.h>

#include <ctime>

namespace s3lt {
namespace {

volatile std::sig_atomic_t interrupts = 0;
timespec first{};  // written before `interrupts`, by one signal at a time

constexpr double same_wish_seconds = 0.5;

void on_signal(int) {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  if (interrupts == 0) {
    first = t;
    interrupts = 1;
    return;
  }
  const double since =
      static_cast<double>(t.tv_sec - first.tv_sec) + static_cast<double>(t.tv_nsec - first.tv_nsec) / 1e9;
  if (since >= same_wish_seconds) _exit(130);
}

}  // namespace

const volatile std::sig_atomic_t& catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigaddset(&action.sa_mask, SIGINT);  // neither interrupts the handler of the other
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return interrupts;
}

}  // namespace s3lt
