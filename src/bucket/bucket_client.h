// Asks a storage one thing after another, outside of a load: with the contract's retries, over all endpoints.
// Belongs to one loop; one request at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/plan.h"
#include "net/http_connection.h"
#include "s3/admin_requests.h"
#include "s3/xml.h"

namespace s3lt {

struct BucketAnswer {
  int status = 0;      // of the last attempt; 0: no answer that is HTTP
  std::string body;    // whole
  S3Error error;       // where the body is an error document; also in a 200
  std::string reason;  // why it is not ok, for people: "503 SlowDown", "connection refused"
  bool cancelled = false;
  std::uint64_t body_bytes = 0;  // received
  bool truncated = false;        // the body ended before its announced length
  bool ok() const { return status / 100 == 2 && error.code.empty(); }
};

class BucketClient {
 public:
  // `index` says with which endpoint to begin.
  BucketClient(Loop& loop, const RunPlan& plan, std::size_t index);

  Task<BucketAnswer> ask(AdminRequest request);
  // Each attempt's body goes to what `sink` gives, which may be null, and is not kept.
  Task<BucketAnswer> read(AdminRequest request, std::function<http::BodySink*()> sink);
  // Ends what waits here, and all that would wait later.
  void cancel();

 private:
  Task<BucketAnswer> attempt(const AdminRequest& request, unsigned number,
                             const std::function<http::BodySink*()>& sink);

  const RunPlan& plan_;
  Signer signer_;
  Random random_;
  std::size_t next_endpoint_;
  std::vector<HttpConnection> connections_;  // one per endpoint
  Timer timer_;
  std::string head_;
  bool cancelled_ = false;
};

}  // namespace s3lt
