// A client: one logical user of the storage, with one operation in flight and one random stream. A
// coroutine on its thread's loop: what to do (pattern) -> encode and sign -> connection -> recorder.
// Nothing on this path locks, logs or reads a file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/load_thread.h"
#include "net/http_connection.h"
#include "s3/xml.h"

namespace s3lt {

class Client {
 public:
  Client(LoadThread& thread, PatternShare& share, std::uint64_t index);

  // Operations until the thread stops or the budget is spent.
  Task<void> run();
  // PUTs, one after another, while the share has prefill left; not recorded.
  Task<void> prefill();

  void wake();  // ends a pause between operations, once the thread is stopping
  void cut();   // ends whatever waits here, once the thread is cut

 private:
  struct Step {
    OperationKind kind{};
    std::uint32_t size_class = 0;
    bool seeded = false;
    KeyId id;              // of the object
    Catalog::Entry entry;  // of a picked one
  };
  // One operation under way, over its attempts.
  struct Operation;
  struct Attempt;
  class Body;

  Step next();
  Step put_step(std::uint32_t size_class, std::uint64_t suffix, bool seeded);
  std::size_t next_endpoint();
  Task<Outcome> perform(const Step& step);
  Task<void> hash_payload(Operation& op);
  Task<Attempt> attempt(Operation& op, unsigned number);
  Task<Attempt> exchange(Operation& op, HttpConnection& connection);
  void encode(const Operation& op, const RequestContext& context);
  void judge(const Operation& op, const ExchangeResult& result, Attempt& attempt) const;
  void sample(const Operation& op, const Attempt& attempt, unsigned number);
  void settle(Operation& op, Outcome outcome);
  Task<void> trim();
  std::string_view invocation_id();

  LoadThread& thread_;
  PatternShare& share_;
  Random choices_;  // what to do: the same number of draws for every operation, so that --seed fixes them
  Random random_;   // everything else
  std::uint64_t next_endpoint_;
  std::vector<HttpConnection> connections_;  // one per endpoint
  std::vector<std::uint32_t> next_address_;  // of each endpoint
  HttpConnection* active_ = nullptr;
  Timer timer_;
  bool pausing_ = false;   // in a pause between operations
  bool recording_ = true;  // false in the prefill
  ConnectBackoff connect_backoff_;
  Duration pause_{};  // before the next operation, after a failed connect
  std::string head_, key_, uuid_, sha256_, crc32_;
};

}  // namespace s3lt
