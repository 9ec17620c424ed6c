// A wire profile: how a backend's requests look on the wire (docs/architecture.md, "Backends"). Pure and
// stateless: one instance serves all threads; what changes comes in as RequestContext.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "s3/multipart.h"
#include "s3/requests.h"
#include "s3/sdk_retries.h"
#include "s3/sigv4.h"

namespace s3lt {

struct RequestContext {
  Signer& signer;
  std::string_view host;                // the Host header's value
  WallTime time{};                      // of signing
  std::string_view invocation_id = {};  // a UUID, the same for all attempts of an operation
  unsigned attempt = 1;                 // 1 is the first
  unsigned max_attempts = 1;
  bool after_response = false;  // the attempt before got an answer (boto3 then sends a ttl)
  bool tls = false;             // over https
};

// What the requests of a profile need beyond their operation.
struct WireTraits {
  bool sha256 = false, crc32 = false, md5 = false;  // of a PUT's body
  bool crc32_behind = false;                        // a PUT's body goes out in TrailerCoding
  bool expect_continue = false;                     // a PUT body waits for 100 Continue
  bool invocation_id = false;
  bool quiet_batches = false;     // a DELETE-BATCH asks for the keys that were not deleted, and no others
  bool resumes_tls = false;       // a connection continues the TLS session of the client's one before
  bool one_endpoint = false;      // a client keeps to one endpoint; else it goes round all of them
  bool asks_location = false;     // a client asks for the bucket's region before its first operation
  unsigned parallel_parts = 1;    // how many parts of an object a client uploads at a time
  unsigned kept_connections = 1;  // that a client keeps to an endpoint; those above are closed after use
  bool through_s3pool = false;  // to a proxy, whose own answers say nothing of the storage (s3pool_answer.h)
};

// --payload: what is said of a PUT's body before it, where that is not the SDK's to choose.
enum class Payload : std::uint8_t {
  unsigned_body,  // UNSIGNED-PAYLOAD
  signed_body,    // its SHA-256
  crc32,          // UNSIGNED-PAYLOAD and x-amz-checksum-crc32
};
inline constexpr std::array<std::string_view, 3> payload_names = {"unsigned", "signed", "crc32"};
constexpr std::string_view name(Payload payload) {
  return payload_names[static_cast<std::size_t>(payload)];
}

class WireProfile {
 public:
  virtual ~WireProfile() = default;
  virtual std::string_view name() const = 0;
  // The same with this payload; null where the SDK chooses.
  virtual const WireProfile* with(Payload) const { return nullptr; }
  virtual WireTraits traits(bool tls) const = 0;
  // How its SDK tries again; nothing where there is none.
  virtual std::optional<SdkRetryRules> sdk_retries() const = 0;
  // Whether an object of this key can be asked for.
  virtual bool can_send(std::string_view) const { return true; }

  // How large the parts are in which an object of this size goes out; 0: it is one PUT. `asked` is
  // --multipart-size.
  virtual std::uint64_t part_size(std::uint64_t size, std::optional<std::uint64_t> asked) const = 0;

  // Each writes the whole head of the request, with its last empty line, over `head`.
  virtual void encode(const PutObject&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const GetObject&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const HeadObject&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const DeleteObject&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const DeleteObjects&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const ListObjects&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const CreateUpload&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const UploadPart&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const CompleteUpload&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const AbortUpload&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const HeadBucket&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const GetBucketLocation&, const RequestContext&, std::string& head) const = 0;
  virtual void encode(const CreateBucket&, const RequestContext&, std::string& head) const = 0;

  virtual std::string delete_objects_body(std::span<const std::string> keys, bool quiet) const = 0;
  virtual std::string complete_upload_body(std::span<const UploadedPart> parts) const = 0;
};

// All there are, by name: boto3, minio, native, proxy. A file `<name>_profile.cc` in this folder that defines
// `const WireProfile& <name>_profile()` is one (CMakeLists.txt).
std::span<const WireProfile* const> wire_profiles();
// The profile of that name, or null.
const WireProfile* find_profile(std::string_view name);

// The body of a CreateBucket for this region; empty for us-east-1.
std::string create_bucket_body(std::string_view region);

}  // namespace s3lt
