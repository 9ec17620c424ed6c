#include "server/authentication.h"

#include <openssl/crypto.h>

#include <algorithm>

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
  if (payload.empty()) payload = empty_sha256;
  SigningInput input{.method = request.head.method,
                     .path = request.path,
                     .canonical_query = {},
                     .headers = headers_,
                     .payload_hash = payload};
  std::string query;
  if (!request.query.empty()) {
    query = canonical_query(request.query);
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
  const std::string recoded = recoded_query(request.query);
  if (path == request.path && recoded == query) return false;
  input.path = path;
  input.canonical_query = recoded;
  return equal();
}

Refusal Authenticator::wrong_region(std::string_view region) const {
  // The text is made here, since it names both regions; an error holds only constants.
  return {{"AuthorizationHeaderMalformed", 400, ""},
          "<Message>The authorization header is malformed; the region '" + std::string(region) +
              "' is wrong; expecting '" + signer_.region() + "'</Message><Region>" + signer_.region() +
              "</Region>"};
}

std::optional<Refusal> Authenticator::verify(const Request& request, std::int64_t now) {
  const http::Headers& headers = request.head.headers;
  std::string_view rest = headers.find("authorization");
  if (rest.empty()) return refuse(errors::access_denied);
  constexpr std::string_view algorithm = "AWS4-HMAC-SHA256 ";
  if (!rest.starts_with(algorithm)) {
    return Refusal{
        {"InvalidRequest", 400, "The authorization mechanism is not supported; use AWS4-HMAC-SHA256"}, {}};
  }
  rest.remove_prefix(algorithm.size());
  std::string_view credential = take_field(rest, "Credential");
  Authorization authorization;
  authorization.signed_headers = take_field(rest, "SignedHeaders");
  authorization.signature = take_field(rest, "Signature");
  // access key / day / region / service / aws4_request; an access key may hold slashes.
  std::array<std::string_view, 4> scope;
  for (std::size_t i = scope.size(); i-- > 0;) {
    const std::size_t slash = credential.rfind('/');
    if (slash == credential.npos) return refuse(errors::authorization_malformed);
    scope[i] = credential.substr(slash + 1);
    credential = credential.substr(0, slash);
  }
  authorization.access_key = credential;
  authorization.day = scope[0];
  authorization.region = scope[1];
  if (authorization.signed_headers.empty() || authorization.signature.empty() || scope[2] != "s3" ||
      scope[3] != "aws4_request") {
    return refuse(errors::authorization_malformed);
  }
  if (authorization.access_key != signer_.credentials().access_key) return refuse(errors::invalid_access_key);
  const bool location =
      request.operation == Operation::get_bucket_location && authorization.region == default_region;
  if (authorization.region != signer_.region() && !location) {
    const bool printable = std::all_of(authorization.region.begin(), authorization.region.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
             c == '_';
    });
    return wrong_region(printable ? authorization.region : std::string_view("?"));
  }
  if (auto refusal = check_date(request, now)) return refusal;
  if (authorization.day != std::string_view(amz_date_).substr(0, 8))
    return refuse(errors::authorization_malformed);
  if (headers.find("x-amz-security-token") != std::string_view(signer_.credentials().session_token)) {
    return refuse(errors::invalid_token);
  }
  if (auto refusal = collect_headers(request, authorization.signed_headers)) return refusal;
  if (!matches(location ? default_region_ : signer_, request, authorization)) {
    return refuse(errors::signature_does_not_match);
  }
  return std::nullopt;
}

}  // namespace s3lt::server
