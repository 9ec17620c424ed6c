// Does a client's operations, one after another: every attempt over the client's own connections, what it
// meant, what is recorded. Belongs to its client and thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "engine/load_thread.h"
#include "engine/read_check.h"
#include "net/http_connection.h"
#include "s3/xml.h"

namespace s3lt {

// One operation to do.
struct Step {
  OperationKind kind{};
  std::uint32_t size_class = 0;  // of the pattern
  bool seeded = false;
  bool ours = true;  // we wrote the object; else nobody knows what it should hold
  // The object: where its key lives, and its place there if it was picked.
  KeySpace* space = nullptr;
  Catalog::Entry entry;
  // LIST: which keys, and the token of the page before. DELETE-BATCH: whole keys.
  std::string_view prefix, token;
  std::span<const std::string> keys;
  TimePoint intended{};  // when it was meant to begin; {}: closed loop, it begins when it begins
};

// How it ended.
struct Performed {
  Outcome outcome{};
  bool may_exist = false;  // a PUT that was not confirmed, and not refused either
  bool answered = false;   // a DELETE-BATCH whose answer says what became of each key
};

class Performer {
 public:
  // `index` is the client's number: where it begins in the list of endpoints.
  Performer(LoadThread& thread, PatternShare& share, std::uint64_t index);

  // The operation with its retries, recorded unless set_recording(false).
  Task<Performed> perform(const Step& step);

  void set_recording(bool recording) { recording_ = recording; }
  // How long the client should stay away before its next operation: set by a connect that failed. Taken once.
  Duration take_pause() { return std::exchange(pause_, {}); }
  // What the last operation brought, where it was an ok LIST or an answered DELETE-BATCH.
  ListPage& page() { return page_; }
  const DeleteResult& deletion() const { return deletion_; }
  // Ends whatever waits here, once the thread is cut.
  void cut();

 private:
  struct Operation;
  struct Attempt;

  std::size_t next_endpoint();
  Task<void> prepare(Operation& op);
  Task<void> hash_payload(Operation& op);
  Task<Attempt> attempt(Operation& op, unsigned number);
  Task<Attempt> exchange(Operation& op, HttpConnection& connection);
  std::optional<Duration> retry_delay(const Operation& op, const Attempt& last, unsigned number);
  static Attempt attempt_of(const ExchangeResult& result);
  Task<Attempt> locate(const Operation& op, HttpConnection& connection, const RequestContext& context);
  void encode(const Operation& op, const RequestContext& context);
  std::optional<ContentCheck::Depth> check_depth(const Operation& op);
  void judge(const Operation& op, const ExchangeResult& result, const ReadCheck* check, Attempt& attempt);
  void judge_success(const Operation& op, const ExchangeResult& result, const ReadCheck* check,
                     Attempt& attempt);
  static void judge_read(const Operation& op, const ExchangeResult& result, const ReadCheck* check,
                         Attempt& attempt);
  void judge_page(const ExchangeResult& result, Attempt& attempt);
  void judge_deletion(const ExchangeResult& result, Attempt& attempt);
  static void judge_error_in_success(const ExchangeResult& result, Attempt& attempt,
                                     std::string_view otherwise);
  void judge_refusal(const Operation& op, const ExchangeResult& result, Attempt& attempt) const;
  void sample(const Operation& op, const Attempt& attempt, unsigned number);
  void record(const Operation& op, const Attempt& last, unsigned number);
  void describe(const Operation& op, const Attempt& attempt, unsigned number, OperationSample& sample) const;
  std::string_view invocation_id();

  LoadThread& thread_;
  PatternShare& share_;
  Random random_;  // of ids, jitter and which reads are checked whole
  std::uint64_t next_endpoint_;
  std::vector<HttpConnection> connections_;  // one per endpoint
  std::vector<std::uint32_t> next_address_;  // of each endpoint
  std::vector<SdkQuota> quotas_;             // of each endpoint, with --retries sdk
  HttpConnection* active_ = nullptr;
  Timer timer_;
  bool recording_ = true;
  bool asks_location_ = false;  // before its next operation
  Backoff connect_backoff_;
  Duration pause_{};
  std::string head_, key_, uuid_, sha256_, crc32_, md5_, batch_;
  WireTraits over_http_, over_https_, needed_;  // of the profile; needed by one endpoint at least
  ListPage page_;
  DeleteResult deletion_;
};

}  // namespace s3lt
