// What `check` found out about endpoints: facts, as they were seen, without a judgement (judgement.h) and
// without words for people but those that a server or the system said. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/tls.h"

namespace s3lt {

// Whether what a storage said means that the access key may not: a status, or the code of one key in a batch.
inline bool is_denied(std::string_view said) {
  return said.starts_with("403") || said == "AccessDenied";
}

// One thing that was tried.
struct Trial {
  enum class End : std::uint8_t { not_tried, works, fails };
  End end = End::not_tried;
  std::string said;  // where it fails: "403 AccessDenied", "the connection was reset"
  bool works() const { return end == End::works; }
  bool fails() const { return end == End::fails; }
};

struct AddressFact {
  std::string address;
  std::optional<std::int64_t> connect_us;  // nothing: no connection
  std::string problem;
};

struct TlsFact {
  TlsFacts facts;
  std::int64_t handshake_us = 0;
  std::optional<CertificateProblem> problem;  // why the certificate is not believed
};

// How a storage answers, to see whether it tells who is at fault: "403 AccessDenied", "200".
struct AccessFacts {
  std::string ours, wrong_secret, unknown_key, no_such_bucket, all_buckets;
};

// Something that says what bytes were meant, and may be looked at.
struct IntegrityFact {
  std::string name;  // "crc32c", "signed"
  Trial accepted;    // where it is right
  // Whether it is refused where it is wrong; nothing: not tried, or there is nothing that could be wrong.
  std::optional<bool> verified;
};

struct NamedTrial {
  std::string name;
  Trial trial;
};

// The operations of a run, as a backend sends them.
struct BackendFact {
  std::string name;
  std::vector<NamedTrial> operations;
  bool works() const;
  // "PUT: 400 BadDigest"; of the first that does not work, empty: all do.
  std::string first_failure() const;
};

struct BucketFacts {
  bool exists = false;
  std::optional<std::string> versioning;  // "Enabled", "Suspended", "": never; nothing: it would not say
  std::string versioning_said;
  std::optional<bool> object_lock;
  std::string default_retention;
  std::optional<std::string> location;  // as GetBucketLocation says it, us-east-1 where that is empty
};

struct LeftBehind {
  bool looked = false;            // whether it could be listed
  std::vector<std::string> what;  // keys, versions and uploads that are still there
  std::string problem;            // why nobody looked, or they stay
  bool is_denied() const { return s3lt::is_denied(problem); }
};

struct EndpointFacts {
  std::string url;
  std::vector<AddressFact> addresses;
  std::optional<TlsFact> tls;
  std::string server;      // the Server header
  std::string looks_like;  // what that and others make it: "Ceph Object Gateway"; empty: nothing known
  std::optional<double> clock_ahead;  // seconds by which this machine's clock is ahead of the server's
  double clock_error = 0;             // of that, seconds
  // Why a run cannot begin there, in the words in which it would say so.
  std::optional<std::string> problem;
  bool other_scheme = false;  // the problem is the URL's scheme
  std::string right_region;   // the problem is the region: this one is expected
  bool bucket_missing = false;
  AccessFacts access;
  std::optional<bool> signature_verified, region_enforced;
  BucketFacts bucket;
  std::vector<BackendFact> backends;
  std::vector<IntegrityFact> payloads, checksums;
  std::string not_written = {};  // why no more was written than this took to find out; empty: all was
  Trial range;
  Trial expect_continue;  // works: it said 100 Continue
  std::optional<bool> keeps_connections;
  std::vector<NamedTrial> multipart;  // create, part, complete, abort, list
  LeftBehind left;
  bool stopped = false;  // before all was asked: by the user, or because it fell silent
  std::uint64_t requests = 0;
  double seconds = 0;

  bool reachable() const;  // an address took a connection
  // What of uploading an object in parts fails there; null: nothing.
  const NamedTrial* parts_fail() const;
};

// What backend proxy needs of this machine; no s3pool is started to find out.
struct ProxyFact {
  std::string address;                     // where it would listen: "127.0.0.1:18080"
  std::string program = {};                // its file; empty: none that could be started
  bool is_kept = false;                    // runs of ours have one there now
  std::vector<std::string> problems = {};  // why no run can begin, in the words in which it would say so
  bool is_wrong_setting = false;           // one of them is about settings: a run ends with status 2
};

struct CheckFacts {
  std::string version;
  WallTime started{};
  std::string bucket, prefix, region, backend;
  bool verify_tls = false;
  bool interrupted = false;
  double seconds = 0;
  std::optional<ProxyFact> proxy = {};   // of backend proxy
  std::vector<EndpointFacts> endpoints;  // in the order of the settings
};

}  // namespace s3lt
