// Does a client's operations, one after another: what each asks for, what its answers mean, what is recorded.
// Belongs to its client and thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attempt_log.h"
#include "engine/load_thread.h"
#include "engine/payload_digests.h"
#include "engine/read_check.h"
#include "engine/requester.h"
#include "s3/xml.h"

namespace s3lt {

class MultipartUpload;

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

  void set_recording(bool recording) { log_.set_recording(recording); }
  // How long the client should stay away before its next operation: set by a connect that failed. Taken once.
  Duration take_pause() { return requester_.take_pause(); }
  // What the last operation brought, where it was an ok LIST or an answered DELETE-BATCH.
  ListPage& page() { return page_; }
  const DeleteResult& deletion() const { return deletion_; }
  // Ends whatever waits here, once the thread is cut; what outlives that, once it is abandoned.
  void cut();

 private:
  class Operation;

  void prepare(Operation& op);
  Task<Attempt> upload(Operation& op, std::uint64_t part_size);
  std::optional<ContentCheck::Depth> check_depth(const Operation& op);
  void judge_success(Operation& op, const ExchangeResult& result, Attempt& attempt);
  static void judge_read(Operation& op, const ExchangeResult& result, Attempt& attempt);
  void judge_page(const ExchangeResult& result, Attempt& attempt);
  void judge_deletion(const Operation& op, const ExchangeResult& result, Attempt& attempt);
  void judge_missing(const Operation& op, Attempt& attempt) const;

  LoadThread& thread_;
  PatternShare& share_;
  Requester requester_;
  AttemptLog log_;
  Timer timer_;
  RequestTexts texts_;
  PayloadDigests digests_;
  std::string key_, batch_;
  MultipartUpload* upload_ = nullptr;  // under way
  ListPage page_;
  DeleteResult deletion_;
};

}  // namespace s3lt
