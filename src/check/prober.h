// Finds out about one endpoint by using it: connects, asks, writes a few small objects under a prefix of its
// own, and takes away what it wrote. Belongs to one loop.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "check/facts.h"
#include "engine/asker.h"
#include "s3/admin_requests.h"
#include "s3/signed_request.h"

namespace s3lt {

class Prober {
 public:
  // `plan` has all but the endpoints; `stem` is what its keys begin with, its own, and ends in '/'.
  // `observer` verifies certificates and tolerates all; null: the endpoint is none of TLS.
  Prober(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint, TlsClient* observer,
         bool verifies, std::string stem, EndpointFacts& facts);
  ~Prober();

  // All of it, to the end of the tidying.
  Task<void> run();
  // Asks no further question, and takes away what was written. What is under way may end: a write that nobody
  // waits for may come about after that.
  void stop();
  // Ends what is under way as well; what was written is taken away all the same.
  void cut();

 private:
  struct Knock;  // at one address
  using Headers = std::vector<std::pair<std::string, std::string>>;
  // An object of ours, or a try to make one.
  struct Written {
    std::string key, version;
  };

  // An object to write in the generic form.
  struct Draft {
    std::string payload_hash;
    Headers headers = {};
    std::string_view wire_body = {};
    bool expect = false;
  };

  bool going() const { return !stopped_ && !facts_.problem; }
  // Not where an object lock would keep what it writes.
  bool may_try() const { return going() && facts_.bucket.default_retention.empty(); }
  bool may_write() const { return may_try() && facts_.not_written.empty(); }

  // prober.cc: the way there
  Task<void> reach();
  Task<void> knock(Knock& knock);
  Task<void> secure();
  Task<void> admit();
  // prober_access.cc: who is let in
  Task<StorageAnswer> list_as(Signer& signer, const std::string& bucket);
  Task<void> ask_strangers();
  Task<void> look_at_bucket();
  void judge_denial();
  // prober_backends.cc: the operations of a run
  Task<void> try_backend(const WireProfile& profile);
  void judge_rights();
  // prober_features.cc: what else it knows
  Task<void> try_payloads();
  Task<void> try_checksums();
  Task<void> try_checksum(IntegrityFact& fact, const std::string& header, const std::string& right,
                          const std::string& wrong);
  Task<void> try_reads();
  Task<void> try_multipart();
  Task<void> try_connections();
  // prober_tidying.cc
  Task<void> tidy();
  Task<void> remove_written(Asker& asker);
  Task<StorageAnswer> remove(Asker& asker, const Written& one);
  Task<void> look_for_rest(Asker& asker);
  void name_known(std::string_view question, const StorageAnswer& answer);
  void name_rest();

  // Asks; again where the storage is busy. Counts, and gives up on one that fell silent, as on a kind of
  // question that hangs: that one is not asked any more (cancelled).
  Task<StorageAnswer> ask(Asker& asker, const Question& question);
  template <class Request>
  Task<StorageAnswer> ask(const WireProfile& profile, const Request& request, std::string_view method,
                          std::string_view name, std::string_view body = {}, bool expect = false) {
    std::string head;
    profile.encode(request, asker_->context(), head);
    const Question question{
        .name = name, .method = method, .head = head, .body = body, .expect_continue = expect};
    StorageAnswer answer = co_await ask(*asker_, question);
    co_return answer;
  }
  // No answer came to a question of this name, though it was waited for so long.
  void note_silence(std::string_view name, Duration patience, StorageAnswer& answer);
  Task<StorageAnswer> ask_admin(Asker& asker, const AdminRequest& request, std::string_view name);
  // Writes it under a new key, last_key_.
  Task<StorageAnswer> put(const Draft& draft);
  std::string new_key();
  // An answer that may have made or changed something: its version is ours to take away.
  void note(const std::string& key, const StorageAnswer& answer);
  static Trial trial_of(const StorageAnswer& answer);

  Loop& loop_;
  const RunPlan& plan_;
  ResolvedEndpoint endpoint_;  // its addresses, those first that answer
  TlsClient* const observer_;
  const bool verifies_;
  const std::string stem_;
  EndpointFacts& facts_;
  std::unique_ptr<Asker> asker_;
  bool tidying_ = false;
  std::list<Knock> knocks_;
  std::size_t knocking_ = 0;
  Timer knocked_, pause_;
  Random random_;
  std::string last_key_;
  std::vector<std::string> keys_;  // that we tried to write
  std::vector<Written> versions_;  // that the storage says it made
  bool saw_versions_ = false;
  StorageAnswer first_;                        // to the listing that lets us in, or does not
  std::vector<Upload> uploads_;                // begun and not known to be over
  std::set<std::string, std::less<>> silent_;  // kinds of questions in a row without an answer
  struct Hang {
    unsigned times = 0;
    Duration longest{};  // that was waited
  };
  std::map<std::string, Hang, std::less<>> hung_;  // kinds of questions that were waited for in vain
  unsigned retries_left_ = 6;  // one that is busy for good is not waited for at every question
  bool stopped_ = false;
};

}  // namespace s3lt
