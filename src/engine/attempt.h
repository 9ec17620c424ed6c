// One try of a request: what it was, when, and what came of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "measure/snapshot.h"
#include "net/http_connection.h"
#include "s3/xml.h"

namespace s3lt {

struct Attempt {
  Outcome outcome{};
  int status = 0;
  std::uint32_t requests = 0;
  bool retryable = false;
  std::uint64_t bytes = 0;
  // See PhaseInstants.
  TimePoint begun{}, connected{}, secured{}, sent{}, let_go{}, request_sent{}, first_byte{}, end{};
  Duration silent{};  // of one that was cancelled: how long it had waited for a connection or a byte
  const http::ResponseHead* head = nullptr;    // of the answer, until the connection's next exchange
  const HttpConnection* connection = nullptr;  // that carried it; null: none did
  bool behind = false;                         // slower than the slow client that made it
  bool unused_close = false;                   // closed by the server before a byte of answer …
  bool unsent = false;                         // … and before a byte of the request
  bool checked = false;                        // the bytes that came were held against the object's
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

// The attempt that an exchange was, not judged yet.
Attempt attempt_of(const ExchangeResult& result);

// Judges an exchange that brought no whole answer; false: it brought one.
bool judge_broken(const ExchangeResult& result, Attempt& attempt);
// Judges an answer that is no success. Outcome::missing where S3 says that the key does not exist. Through an
// s3pool it may be that one's own, no word of the storage's.
void judge_refusal(const ExchangeResult& result, Attempt& attempt, bool through_s3pool = false);
// Judges a success whose body is not what was to come: S3 may send 200 before it knows how the operation
// ends, and an error document then. `otherwise` says what is wrong where it is none.
void judge_error_in_success(const ExchangeResult& result, Attempt& attempt, std::string_view otherwise);

// Whether a write whose attempt ended so may have happened all the same.
bool may_have_happened(Outcome outcome, int status);

}  // namespace s3lt
