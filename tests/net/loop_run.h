// Runs a coroutine to its end on a loop of the test's own thread, at most `limit` long.
#pragma once

#include <gtest/gtest.h>

#include "net/loop.h"

namespace s3lt {

inline Task<void> then_stop(Loop& loop, Task<void> task, bool& ended) {
  co_await std::move(task);
  ended = true;
  loop.stop();
}

// A task that does not end in time fails the test and is left behind.
inline void run_to_end(Loop& loop, Task<void> task, Duration limit = std::chrono::seconds(20)) {
  bool ended = false;
  loop.every(limit, [&loop] { loop.stop(); });
  loop.post([&] { spawn(then_stop(loop, std::move(task), ended)); });
  loop.run();
  ASSERT_TRUE(ended) << "the task did not end in " << to_seconds(limit) << " s";
}

}  // namespace s3lt
