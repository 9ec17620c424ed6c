// SIGINT and SIGTERM: the first ends a command gracefully, the second at once, with status 130.
#pragma once

#include <csignal>

namespace s3lt {

// From here on; what is returned is how many have come.
const volatile std::sig_atomic_t& catch_interrupts();

}  // namespace s3lt
