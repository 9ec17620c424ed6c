// One object in parts (S3 API reference, "Multipart upload"): created, its parts uploaded several at a time
// as the profile's client does it, completed; or aborted, so that nothing of it stays. Belongs to its client
// and thread; made for one PUT.
//
// It is one operation and one attempt of it. A try of its create, complete or abort request that failed is an
// attempt of its own with its outcome; parts count in cells of their own. What it could not abort is counted
// with the keys (KeyCounters::unaborted).
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/attempt_log.h"
#include "engine/payload_digests.h"
#include "engine/requester.h"
#include "s3/multipart.h"
#include "schedule/shared_pace.h"

namespace s3lt {

class MultipartUpload {
 public:
  struct Job {
    Subject put, part;
    const ObjectContent& content;
    std::uint64_t part_size;
    std::size_t endpoint;        // first, until a try moves on
    TransferObserver& observer;  // of the bytes of the whole
  };
  MultipartUpload(LoadThread& thread, PatternShare& share, Requester& requester, AttemptLog& log, Job job);
  ~MultipartUpload();

  // How it ended: the attempt of the whole, from the first byte of its first request to the last one of its
  // last answer, taken down but for the operation's end.
  Task<Attempt> run();

  TimePoint first_begun() const { return first_begun_; }
  bool may_exist() const { return may_exist_; }
  // Ends what waits between requests, once the thread is cut.
  void cut();

 private:
  class Create;
  class Part;
  class Complete;
  class Abort;
  class ListUploads;
  struct Worker;

  Task<Attempt> create();
  Task<void> upload_parts();
  Task<void> work(Worker& worker);
  Task<void> upload_part(Worker& worker, unsigned number);
  Task<Attempt> complete();
  Task<void> clean_up(bool completed);
  Task<bool> abort(std::string id);
  Task<bool> abort_until_gone();
  Attempt whole(const Attempt& created, Attempt completed) const;
  void take_down(const Attempt& last);
  void tried(const ClientRequest& request, const Attempt& attempt);
  void judge_refused(const ExchangeResult& result, Attempt& attempt) const;

  // Until the last worker is through.
  struct AllEnded {
    MultipartUpload& upload;
    bool await_ready() const { return upload.working_ == 0; }
    void await_suspend(std::coroutine_handle<> h) { upload.waiting_ = h; }
    void await_resume() const {}
  };

  LoadThread& thread_;
  PatternShare& share_;
  Requester& requester_;
  AttemptLog& log_;
  const Job job_;
  const unsigned count_;  // of parts
  std::size_t endpoint_;  // of the last request that was no part's
  RequestTexts texts_;
  Timer timer_;
  std::string id_;
  bool may_stay_ = false;   // an upload: its id never came, or a part came after its abort
  bool part_open_ = false;  // a part had no answer: the storage may still be at it
  bool may_exist_ = false;
  TimePoint first_begun_{};
  std::uint32_t requests_ = 0;  // that went well, and are not taken down yet
  std::vector<UploadedPart> parts_;
  std::vector<std::unique_ptr<Worker>> workers_;
  unsigned next_part_ = 0, working_ = 0;
  std::coroutine_handle<> waiting_;
  std::optional<Attempt> failed_;  // of the first part that could not be uploaded
  bool behind_ = false;
  std::optional<SharedPace> pace_;  // of a slow client
};

}  // namespace s3lt
