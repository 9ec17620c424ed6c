#include "check/check_json.h"

#include <boost/json.hpp>
#include <cmath>

#include "results/json_text.h"

namespace s3lt {
namespace {

namespace json = boost::json;

template <class T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::value or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object trial_object(const Trial& trial) {
  return {{"works", trial.end == Trial::End::not_tried ? json::value(nullptr) : json::value(trial.works())},
          {"said", or_null(trial.said)}};
}

json::object trials_object(const std::vector<NamedTrial>& trials) {
  json::object out;
  for (const NamedTrial& one : trials) out[one.name] = trial_object(one.trial);
  return out;
}

json::object integrity_object(const std::vector<IntegrityFact>& list) {
  json::object out;
  for (const IntegrityFact& fact : list) {
    json::object one = trial_object(fact.accepted);
    one["verified"] = or_null(fact.verified);
    out[fact.name] = std::move(one);
  }
  return out;
}

json::array strings(const std::vector<std::string>& list) {
  json::array out;
  for (const std::string& text : list) out.emplace_back(text);
  return out;
}

json::value tls_object(const EndpointFacts& facts) {
  if (!facts.tls) return nullptr;
  const TlsFact& tls = *facts.tls;
  json::value certificate;
  if (tls.facts.certificate) {
    const Certificate& c = *tls.facts.certificate;
    certificate = json::object{{"subject", c.subject},
                               {"issuer", c.issuer},
                               {"names", strings(c.names)},
                               {"from", format_rfc3339(c.from)},
                               {"until", format_rfc3339(c.until)}};
  }
  return json::object{{"version", tls.facts.version},
                      {"cipher", tls.facts.cipher},
                      {"alpn", or_null(tls.facts.protocol)},
                      {"handshake_us", tls.handshake_us},
                      {"certificate", std::move(certificate)},
                      {"verified", !tls.problem},
                      {"problem", tls.problem ? json::value(words(*tls.problem)) : json::value(nullptr)}};
}

json::object bucket_object(const BucketFacts& bucket) {
  return {{"exists", bucket.exists},
          {"versioning", or_null(bucket.versioning)},
          {"object_lock", or_null(bucket.object_lock)},
          {"default_retention", or_null(bucket.default_retention)},
          {"location", or_null(bucket.location)}};
}

json::object endpoint_object(const EndpointFacts& facts, const EndpointJudgement& judgement) {
  json::array addresses, problems, notes;
  for (const AddressFact& address : facts.addresses) {
    addresses.push_back({{"address", address.address},
                         {"connect_us", or_null(address.connect_us)},
                         {"problem", or_null(address.problem)}});
  }
  for (const Finding& finding : judgement.findings)
    (finding.wrong ? problems : notes).emplace_back(finding.text);
  json::object backends;
  for (const BackendFact& backend : facts.backends)
    backends[backend.name] = {{"works", backend.works()}, {"operations", trials_object(backend.operations)}};
  const AccessFacts& access = facts.access;
  return {
      {"url", facts.url},
      {"works", judgement.works},
      {"problems", std::move(problems)},
      {"notes", std::move(notes)},
      {"addresses", std::move(addresses)},
      {"tls", tls_object(facts)},
      {"server", or_null(facts.server)},
      {"looks_like", or_null(facts.looks_like)},
      {"clock_ahead_seconds",
       facts.clock_ahead ? json::value(std::round(*facts.clock_ahead * 1000) / 1000) : json::value(nullptr)},
      {"clock_error_seconds", std::round(facts.clock_error * 1000) / 1000},
      {"access",
       {{"ours", or_null(access.ours)},
        {"wrong_secret", or_null(access.wrong_secret)},
        {"unknown_key", or_null(access.unknown_key)},
        {"no_such_bucket", or_null(access.no_such_bucket)},
        {"all_buckets", or_null(access.all_buckets)}}},
      {"signature_verified", or_null(facts.signature_verified)},
      {"region_enforced", or_null(facts.region_enforced)},
      {"right_region", or_null(facts.right_region)},
      {"bucket", bucket_object(facts.bucket)},
      {"backends", std::move(backends)},
      {"not_written", or_null(facts.not_written)},
      {"payloads", integrity_object(facts.payloads)},
      {"checksums", integrity_object(facts.checksums)},
      {"multipart", trials_object(facts.multipart)},
      {"range", trial_object(facts.range)},
      {"expect_continue", trial_object(facts.expect_continue)},
      {"keeps_connections", or_null(facts.keeps_connections)},
      {"left_behind",
       {{"looked", facts.left.looked},
        {"what", strings(facts.left.what)},
        {"problem", or_null(facts.left.problem)}}},
      {"requests", facts.requests},
      {"seconds", std::round(facts.seconds * 1000) / 1000}};
}

json::value proxy_object(const CheckFacts& facts) {
  if (!facts.proxy) return nullptr;
  return json::object{{"address", facts.proxy->address},
                      {"program", or_null(facts.proxy->program)},
                      {"shared", facts.proxy->is_kept},
                      {"problems", strings(facts.proxy->problems)}};
}

}  // namespace

std::string check_json(const CheckFacts& facts, const Judgement& judgement) {
  json::array endpoints;
  for (std::size_t i = 0; i < facts.endpoints.size(); ++i)
    endpoints.emplace_back(endpoint_object(facts.endpoints[i], judgement.endpoints[i]));
  const json::object out{{"schema", "s3loadtest.check/1"},
                         {"version", facts.version},
                         {"started", format_rfc3339(facts.started)},
                         {"seconds", std::round(facts.seconds * 1000) / 1000},
                         {"bucket", facts.bucket},
                         {"prefix", facts.prefix},
                         {"region", facts.region},
                         {"backend", facts.backend},
                         {"tls_verify", facts.verify_tls},
                         {"interrupted", facts.interrupted},
                         {"works", judgement.exit_status == 0},
                         {"sentence", judgement.sentence},
                         {"next", judgement.next},
                         {"proxy", proxy_object(facts)},
                         {"endpoints", std::move(endpoints)}};
  return json_text(out);
}

}  // namespace s3lt
