// Takes down what a client's attempts and operations were: figures, and samples of errors and of the slowest.
// Belongs to its client and thread.
#pragma once

#include <string_view>

#include "engine/attempt.h"
#include "engine/load_thread.h"
#include "engine/requester.h"

namespace s3lt {

// What was done, and to what.
struct Subject {
  OperationKind kind{};
  CellId cell = 0;
  std::string_view size;  // label; empty: of no object
  std::string_view key;   // or prefix
};

class AttemptLog {
 public:
  AttemptLog(LoadThread& thread, const PatternShare& share) : thread_(thread), share_(share) {}

  void set_recording(bool recording) { recording_ = recording; }
  bool recording() const { return recording_; }

  // One try. `at_endpoint`: it is one of the endpoint's, and not the sum of others that are.
  void tried(const Subject& subject, const Attempt& attempt, std::size_t endpoint, unsigned number,
             bool at_endpoint = true);
  // One operation, or one part of one. What is none is -1 or {}.
  struct End {
    TimePoint start{};        // intended
    TimePoint first_begun{};  // its first attempt
    std::int64_t lag_us = -1;
    bool seeded = false;
    bool may_be_slow = true;  // among the slowest of the run
  };
  void ended(const Subject& subject, const Attempt& last, std::size_t endpoint, unsigned number,
             const End& end);

 private:
  void sample(const Subject& subject, const Attempt& attempt, std::size_t endpoint, unsigned number);
  void describe(const Subject& subject, const Attempt& attempt, std::size_t endpoint, unsigned number,
                OperationSample& sample) const;

  LoadThread& thread_;
  const PatternShare& share_;
  bool recording_ = true;
};

}  // namespace s3lt
