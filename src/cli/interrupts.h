// SIGINT and SIGTERM: the first ends a command gracefully, another at once, with status 130. What comes
// within half a second of the first is the same wish: timeout(1) signals its child and then its group, the
// child among it.
#pragma once

#include <csignal>

namespace s3lt {

// From here on; what is returned is how many have come.
const volatile std::sig_atomic_t& catch_interrupts();

}  // namespace s3lt
