#include "server/authentication.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

#include "http/percent.h"

namespace s3lt::server {
namespace {

constexpr std::int64_t max_skew_seconds = 15 * 60;
constexpr std::string_view default_region = "us-east-1";

Refusal refuse(const S3Error& error, std::string details = {}) {
  return {error, std::move(details)};
}

// Takes "name=value" up to the next comma.
std::string_view take_field(std::string_view& rest, std::string_view name) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == ',')) rest.remove_prefix(1);
  if (!rest.starts_with(name) || rest.size() <= name.size() || rest[name.size()] != '=') return {};
  rest.remove_prefix(name.size() + 1);
  const std::string_view value = rest.substr(0, rest.find(','));
  rest.remove_prefix(value.size());
  return value;
}

// Values in the canonical request: runs of spaces become one, repeated headers are joined by commas.
bool needs_folding(std::string_view value) {
  return value.find("  ") != value.npos;
}
void append_folded(std::string& out, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != ' ' || i == 0 || value[i - 1] != ' ') out += value[i];
  }
}

// The query without the signature itself.
std::string without_signature(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(item.size() + 1, query.size()));
    if (item.substr(0, item.find('=')) == "X-Amz-Signature") continue;
    if (!out.empty()) out += '&';
    out += item;
  }
  return out;
}

// access key / day / region / service / aws4_request; an access key may hold slashes.
bool split_credential(std::string_view credential, std::array<std::string_view, 5>& out) {
  for (std::size_t i = out.size(); i-- > 1;) {
    const std::size_t slash = credential.rfind('/');
    if (slash == credential.npos) return false;
    out[i] = credential.substr(slash + 1);
    credential = credential.substr(0, slash);
  }
  out[0] = credential;
  return out[3] == "s3" && out[4] == "aws4_request";
}

std::string recoded_query(std::string_view query) {
  std::string out;
  for (const auto& [name, value] : http::split_query(query)) {
    if (!out.empty()) out += '&';
    http::append_value(out, http::decode(name, true).value_or(std::string(name)));
    out += '=';
    http::append_value(out, http::decode(value, true).value_or(std::string(value)));
  }
  return canonical_query(out);
}

}  // namespace

Authenticator::Authenticator(const Credentials& credentials, const std::string& region)
    : signer_(credentials, region), default_region_(credentials, std::string(default_region)) {
  folded_.reserve(http::max_headers);
}

std::optional<Refusal> Authenticator::check_date(const Request& request, std::int64_t now) {
  std::string_view date = request.head.headers.find("x-amz-date");
  if (date.empty()) date = request.head.headers.find("date");
  if (date.empty()) {
    return Refusal{{"AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"},
                   {}};
  }
  if (date != amz_date_) {
    ParsedTime parsed = parse_basic_utc(std::string(date));
    if (!parsed.ok) parsed = parse_http_date(std::string(date));
    if (!parsed.ok) {
      return Refusal{{"AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"},
                     {}};
    }
    amz_date_ = format_basic_utc(parsed.time);
    amz_date_seconds_ = std::chrono::floor<std::chrono::seconds>(parsed.time).time_since_epoch().count();
  }
  if (std::abs(now - amz_date_seconds_) <= max_skew_seconds) return std::nullopt;
  std::string details = "<RequestTime>" + amz_date_ + "</RequestTime><ServerTime>";
  time_text_.append_iso(details, now);
  details += "</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>";
  return refuse(errors::request_time_too_skewed, std::move(details));
}

// Looks up the signed headers in the order of their names; every x-amz- header must be among them.
std::optional<Refusal> Authenticator::collect_headers(const Request& request, std::string_view names) {
  headers_.clear();
  folded_.clear();
  std::size_t amz_signed = 0;
  bool host = false;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(';'));
    names.remove_prefix(std::min(name.size() + 1, names.size()));
    if (headers_.size() == http::max_headers) return refuse(errors::authorization_malformed);
    // In order, as a signature has them, and so no name twice: it would be counted as two signed headers.
    if (!headers_.empty() && name <= headers_.back().name) return refuse(errors::authorization_malformed);
    std::string_view value;
    std::size_t found = 0;
    for (const http::Header& h : request.head.headers.all()) {
      if (h.name.size() != name.size() || !http::iequals(h.name, name)) continue;
      if (found++ == 0) {
        value = h.value;
        if (!needs_folding(value)) continue;
        append_folded(folded_.emplace_back(), value);
      } else {
        if (found == 2 && !needs_folding(value)) folded_.emplace_back(value);
        folded_.back() += ',';
        append_folded(folded_.back(), h.value);
      }
    }
    if (found > 1 || needs_folding(value)) value = folded_.back();
    headers_.push_back({name, value});
    if (name == "host") host = true;
    if (name.starts_with("x-amz-")) amz_signed += found;
  }
  std::size_t amz_present = 0;
  for (const http::Header& h : request.head.headers.all()) {
    if (h.name.size() > 6 && (h.name[1] == '-') && http::iequals(h.name.substr(0, 6), "x-amz-"))
      ++amz_present;
  }
  if (!host || amz_present != amz_signed) return refuse(errors::headers_not_signed);
  return std::nullopt;
}

bool Authenticator::matches(Signer& signer, const Request& request, const Authorization& authorization) {
  std::string_view payload = request.head.headers.find("x-amz-content-sha256");
  if (payload.empty()) {
    const std::string* hoisted = request.parameter("X-Amz-Content-Sha256");
    payload = hoisted != nullptr && authorization.presigned ? std::string_view(*hoisted)
              : authorization.presigned                     ? unsigned_payload
                                                            : empty_sha256;
  }
  SigningInput input{.method = request.head.method,
                     .path = request.path,
                     .canonical_query = {},
                     .headers = headers_,
                     .payload_hash = payload};
  std::string stripped, query;
  std::string_view signed_query = request.query;
  if (authorization.presigned) {
    stripped = without_signature(request.query);
    signed_query = stripped;
  }
  if (!signed_query.empty()) {
    query = canonical_query(signed_query);
    input.canonical_query = query;
  }
  const auto equal = [&] {
    computed_ = signer.signature(input, amz_date_);
    return authorization.signature.size() == computed_.size() &&
           CRYPTO_memcmp(authorization.signature.data(), computed_.data(), computed_.size()) == 0;
  };
  if (equal()) return true;
  // Some clients send characters as they are that the canonical request has encoded, or the other way round.
  const std::string path = http::encode_path(http::decode(request.path).value_or(std::string(request.path)));
  const std::string recoded = recoded_query(signed_query);
  if (path == request.path && recoded == query) return false;
  input.path = path;
  input.canonical_query = recoded;
  return equal();
}

// The texts are made here, since they name both regions; an error holds only constants.
Refusal Authenticator::wrong_region(const Authorization& authorization) const {
  const bool printable = std::all_of(authorization.region.begin(), authorization.region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  std::string details = "<Message>";
  details += authorization.presigned ? "Error parsing the X-Amz-Credential parameter; the region '"
                                     : "The authorization header is malformed; the region '";
  details += printable ? authorization.region : std::string_view("?");
  details.append("' is wrong; expecting '").append(signer_.region()).append("'</Message><Region>");
  details.append(signer_.region()).append("</Region>");
  return {{authorization.presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed",
           400, ""},
          std::move(details)};
}

bool Authenticator::asks_location(const Request& request, const Authorization& authorization) const {
  return request.operation == Operation::get_bucket_location && authorization.region == default_region;
}

std::optional<Refusal> Authenticator::read_header(std::string_view text, Authorization& out) const {
  constexpr std::string_view algorithm = "AWS4-HMAC-SHA256 ";
  if (!text.starts_with(algorithm)) return refuse(errors::unsupported_mechanism);
  text.remove_prefix(algorithm.size());
  std::array<std::string_view, 5> scope;
  const bool good = split_credential(take_field(text, "Credential"), scope);
  out.signed_headers = take_field(text, "SignedHeaders");
  out.signature = take_field(text, "Signature");
  if (!good || out.signed_headers.empty() || out.signature.empty())
    return refuse(errors::authorization_malformed);
  out.access_key = scope[0];
  out.day = scope[1];
  out.region = scope[2];
  return std::nullopt;
}

std::optional<Refusal> Authenticator::read_query(const Request& request, Authorization& out) const {
  out.presigned = true;
  const auto text = [&](std::string_view name) {
    const std::string* value = request.parameter(name);
    return value != nullptr ? std::string_view(*value) : std::string_view();
  };
  const auto wrong = [](std::string_view message) {
    return refuse({"AuthorizationQueryParametersError", 400, message});
  };
  if (text("X-Amz-Algorithm") != "AWS4-HMAC-SHA256")
    return wrong("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  out.signed_headers = text("X-Amz-SignedHeaders");
  out.signature = text("X-Amz-Signature");
  if (text("X-Amz-Credential").empty() || text("X-Amz-Date").empty() || text("X-Amz-Expires").empty() ||
      out.signed_headers.empty() || out.signature.empty()) {
    return wrong(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");
  }
  std::array<std::string_view, 5> scope;
  if (!split_credential(text("X-Amz-Credential"), scope)) {
    return wrong(
        "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
  }
  out.access_key = scope[0];
  out.day = scope[1];
  out.region = scope[2];
  return std::nullopt;
}

std::optional<Refusal> Authenticator::check_scope(const Request& request,
                                                  const Authorization& authorization) const {
  if (authorization.access_key != signer_.credentials().access_key) return refuse(errors::invalid_access_key);
  if (authorization.region != signer_.region() && !asks_location(request, authorization))
    return wrong_region(authorization);
  return std::nullopt;
}

// A presigned request is good from its date on (with the usual tolerance for clocks) for as long as it says.
std::optional<Refusal> Authenticator::check_expiry(const Request& request, std::int64_t now) {
  constexpr std::int64_t week = 7 * 24 * 3600;
  const auto wrong = [](std::string_view message) {
    return refuse({"AuthorizationQueryParametersError", 400, message});
  };
  const std::string& seconds = *request.parameter("X-Amz-Expires");
  std::int64_t expires = 0;
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), expires);
  if (error != std::errc() || end != seconds.data() + seconds.size())
    return wrong("X-Amz-Expires should be a number");
  if (expires < 0) return wrong("X-Amz-Expires must be non-negative");
  if (expires > week) {
    return wrong(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less "
        "than 604800 seconds");
  }
  const ParsedTime parsed = parse_basic_utc(*request.parameter("X-Amz-Date"));
  if (!parsed.ok) return wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  amz_date_ = format_basic_utc(parsed.time);
  amz_date_seconds_ = std::chrono::floor<std::chrono::seconds>(parsed.time).time_since_epoch().count();
  if (amz_date_seconds_ - now > max_skew_seconds)
    return refuse({"AccessDenied", 403, "Request is not yet valid"});
  if (now - amz_date_seconds_ <= expires) return std::nullopt;
  std::string details = "<X-Amz-Expires>" + std::to_string(expires) + "</X-Amz-Expires><Expires>";
  time_text_.append_iso(details, amz_date_seconds_ + expires);
  details += "</Expires><ServerTime>";
  time_text_.append_iso(details, now);
  details += "</ServerTime>";
  return refuse({"AccessDenied", 403, "Request has expired"}, std::move(details));
}

std::optional<Refusal> Authenticator::verify(const Request& request, std::int64_t now) {
  const http::Headers& headers = request.head.headers;
  const std::string_view header = headers.find("authorization");
  Authorization authorization;
  std::optional<Refusal> refusal;
  if (request.parameter("X-Amz-Algorithm") != nullptr) {
    if (!header.empty()) return refuse(errors::two_mechanisms);
    refusal = read_query(request, authorization);
  } else if (request.parameter("Signature") != nullptr && request.parameter("AWSAccessKeyId") != nullptr) {
    return refuse(errors::unsupported_mechanism);  // presigned as before 2014, by version 2
  } else if (header.empty()) {
    return refuse(errors::access_denied);
  } else {
    refusal = read_header(header, authorization);
  }
  if (!refusal) refusal = check_scope(request, authorization);
  if (!refusal) refusal = authorization.presigned ? check_expiry(request, now) : check_date(request, now);
  if (refusal) return refusal;
  if (authorization.day != std::string_view(amz_date_).substr(0, 8)) {
    return refuse(authorization.presigned
                      ? S3Error{"AuthorizationQueryParametersError", 400,
                                "Invalid credential date; it differs from the day of X-Amz-Date."}
                      : errors::authorization_malformed);
  }
  const std::string* hoisted = authorization.presigned ? request.parameter("X-Amz-Security-Token") : nullptr;
  const std::string_view token = hoisted != nullptr ? *hoisted : headers.find("x-amz-security-token");
  if (token != signer_.credentials().session_token) return refuse(errors::invalid_token);
  if (auto unsigned_headers = collect_headers(request, authorization.signed_headers)) return unsigned_headers;
  if (!matches(asks_location(request, authorization) ? default_region_ : signer_, request, authorization))
    return refuse(errors::signature_does_not_match);
  return std::nullopt;
}

}  // namespace s3lt::server
