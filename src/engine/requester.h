// Does a client's requests, whatever they are: connects if needed, signs, exchanges, has the answer judged,
// and tries again as the plan says. Belongs to its client and thread; several requests may be under way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/attempt.h"
#include "engine/client_connections.h"
#include "engine/load_thread.h"

namespace s3lt {

// The texts of a request, kept from one to the next for their room.
struct RequestTexts {
  std::string head, invocation_id;
};

// One request with all its tries: what it looks like and what its answers mean.
class ClientRequest {
 public:
  ClientRequest(RequestTexts& kept, Timer& pauses, bool post = false)
      : texts(kept), timer(pauses), is_post(post) {}
  ClientRequest(const ClientRequest&) = delete;
  virtual ~ClientRequest() = default;

  virtual void encode(const RequestContext& context, std::string& head) = 0;
  // All but the head; what it points to lasts until the answer was judged.
  virtual ExchangeRequest ask(bool tls) = 0;
  virtual void judge(const ExchangeResult& result, Attempt& attempt) = 0;
  // A try ended.
  virtual void tried(const Attempt& attempt) = 0;

  RequestTexts& texts;
  Timer& timer;  // between tries
  const bool is_post;
  bool outlives_cut = false;  // goes on after the cut, until the thread is abandoned
  std::size_t endpoint = 0;
  unsigned number = 1;          // of the try; 1 is the first
  TimePoint first_begun{};      // its first try
  bool after_response = false;  // the try before got an answer
  bool streams = true;          // the last answer's body, to the operation, as an SDK does with that of a GET
  WallTime signed_at{};
  unsigned tokens = 0;  // of its SDK's quota, taken by the last retry
};

class Requester {
 public:
  Requester(LoadThread& thread, PatternShare& share, std::uint64_t index);

  // The request with its retries, at its endpoint first; how the last try went.
  Task<Attempt> run(ClientRequest& request);

  ClientConnections& connections() { return connections_; }
  Random& random() { return random_; }
  // Of the profile, over this scheme; needed by one endpoint at least.
  const WireTraits& traits(bool tls) const { return tls ? over_https_ : over_http_; }
  const WireTraits& needed() const { return needed_; }
  // How long the client should stay away before its next operation: set by a connect that failed. Taken once.
  Duration take_pause() { return std::exchange(pause_, {}); }

 private:
  Task<Attempt> attempt(ClientRequest& request);
  RequestContext context_of(const ClientRequest& request, Signer& signer) const;
  Task<Attempt> locate(HttpConnection& connection, const RequestContext& context, std::string& head);
  std::optional<Duration> retry_delay(ClientRequest& request, const Attempt& last);
  void write_invocation_id(std::string& out);
  bool is_cut(const ClientRequest& request) const {
    return request.outlives_cut ? thread_.abandoned() : thread_.cut();
  }

  LoadThread& thread_;
  Random random_;  // of ids, jitter and which reads are checked whole
  ClientConnections connections_;
  std::vector<SdkQuota> quotas_;     // of each endpoint, with --retries sdk
  bool asks_location_ = false;       // before its next operation
  std::unique_ptr<Signer> located_;  // for the region that it was told; null: the thread's does
  Backoff connect_backoff_;
  Duration pause_{};
  WireTraits over_http_, over_https_, needed_;
};

}  // namespace s3lt
