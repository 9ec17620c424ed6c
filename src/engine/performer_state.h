// What one operation and one attempt of it carry from step to step; for performer*.cc alone.
#pragma once

#include <memory>
#include <string>

#include "engine/performer.h"

namespace s3lt {

struct Performer::Operation : TransferObserver {
  Operation(Recorder& r, Budget& b, bool recorded) : recorder(r), budget(b), recording(recorded) {}
  Recorder& recorder;
  Budget& budget;
  const bool recording;
  Step step;
  CellId cell = 0;
  std::uint64_t size = 0;
  ObjectContent content;
  std::size_t endpoint = 0;
  TimePoint start{};            // intended
  TimePoint first_begun{};      // its first attempt
  std::int64_t lag_us = -1;     // of an open loop: the actual start behind it
  bool after_response = false;  // the attempt before got an answer
  WallTime signed_at{};
  void moved(std::uint64_t bytes) override {
    if (!recording || step.space == nullptr) return;  // the bytes of objects only, not of lists
    recorder.moved(cell, bytes);
    if (budget.limits_bytes()) budget.spend_bytes(bytes);
  }
};

struct Performer::Attempt {
  Outcome outcome{};
  int status = 0;
  std::uint32_t requests = 0;
  bool retryable = false;
  std::uint64_t bytes = 0;
  // See PhaseInstants.
  TimePoint begun{}, connected{}, secured{}, sent{}, request_sent{}, first_byte{}, end{};
  const http::ResponseHead* head = nullptr;  // of the answer, until the connection's next exchange
  bool behind = false;                       // slower than the slow client that made it
  bool unused_close = false;                 // closed by the server before a byte of answer
  bool checked = false;                      // the bytes that came were held against the object's
  // Of errors: words, and what S3 says. Apart, so that a good attempt carries no strings about.
  struct Trouble {
    std::string problem;
    S3Error s3;
    std::optional<OperationSample::Wrong> wrong;  // with the object that was read
  };
  std::unique_ptr<Trouble> trouble_;
  Trouble& trouble() {
    if (!trouble_) trouble_ = std::make_unique<Trouble>();
    return *trouble_;
  }
  const Trouble& trouble() const {
    static const Trouble none;
    return trouble_ ? *trouble_ : none;
  }
};

// What an exchange that did not come to its end was.
Outcome outcome_of(StreamError error, bool connecting);

}  // namespace s3lt
