// Asks one endpoint one thing after another, outside a load, on a connection of its own over whichever of its
// addresses takes one. Belongs to one loop; one question at a time.
#pragma once

#include <string>
#include <string_view>

#include "engine/plan.h"
#include "engine/refusal.h"
#include "net/http_connection.h"

namespace s3lt {

// A request as it is on the wire. Views stay the caller's.
struct Question {
  std::string_view name;  // for people: "HEAD", "LIST"
  std::string_view method, head, body = {};
  bool expect_continue = false;  // the body waits for 100 Continue, at most a second
};

class Asker {
 public:
  // Waits preflight_silence for each byte of an answer, or what set_patience() says.
  Asker(Loop& loop, const RunPlan& plan, const ResolvedEndpoint& endpoint);

  Task<StorageAnswer> ask(const Question& question);
  void set_patience(Duration patience) { connection_.set_stall_deadline(patience); }
  // The same of a request of the plan's profile.
  template <class Request>
  Task<StorageAnswer> ask(const Request& request, std::string_view method, std::string_view name,
                          std::string_view body = {}) {
    std::string head;
    plan_.profile->encode(request, context(signer_), head);
    const Question question{.name = name, .method = method, .head = head, .body = body};
    StorageAnswer answer = co_await ask(question);
    co_return answer;
  }
  // What a request to this endpoint needs besides itself, signed now.
  RequestContext context(Signer& signer) const;
  RequestContext context() { return context(signer_); }

  // Whether this address answers to the other scheme; where it does, the URL has the wrong one.
  Task<bool> answers_to_other_scheme();

  const RunPlan& plan() const { return plan_; }
  const ResolvedEndpoint& endpoint() const { return endpoint_; }
  // How many connections it made.
  unsigned connections() const { return connections_; }
  // Ends what is under way; nothing more is asked.
  void cancel();

 private:
  Task<bool> answers_to_http();
  Task<void> connect(HttpConnection& connection, TlsClient* tls, StorageAnswer& answer);
  Task<void> exchange(HttpConnection& connection, const Question& question, StorageAnswer& answer);

  Loop& loop_;
  const RunPlan& plan_;
  const ResolvedEndpoint& endpoint_;
  HttpConnection connection_;
  Signer signer_;
  unsigned connections_ = 0;
  bool cancelled_ = false;
};

// The first questions to a storage: is there S3, are we let in?
struct FirstAnswer {
  bool answered = false;                         // HTTP
  StorageAnswer answer;                          // to the last of them that had one
  std::optional<StorageAnswer> no_listing = {};  // HEAD let us in, and this came instead of a listing
  // Whoever answers there, if anybody, does not speak S3; else what the answer means is still to be judged.
  std::optional<Error> problem;
};
enum class Ask {
  until_let_in,    // only what it takes to know
  with_a_listing,  // in any case
};
Task<FirstAnswer> ask_first(Asker& asker, Ask how);

}  // namespace s3lt
