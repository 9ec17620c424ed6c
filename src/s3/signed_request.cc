#include "s3/signed_request.h"

#include <algorithm>

#include "http/percent.h"
#include "s3/head_writer.h"

namespace s3lt {

void encode(const SignedRequest& request, const RequestContext& context, std::string& head) {
  std::string query;
  auto parameters = request.query;
  std::ranges::sort(parameters);
  for (const auto& [name, value] : parameters) {
    if (!query.empty()) query += '&';
    query.append(http::encode_value(name)).append("=").append(http::encode_value(value));
  }
  const std::string path(request.bucket.empty() ? "/" : object_path(request.bucket, request.key));
  HeadWriter w(head, request.method, path, query);
  w.signed_header("Host", context.host, "host");
  for (const auto& [name, value] : request.headers) w.signed_header(name, value);
  w.signed_header("x-amz-content-sha256", request.payload_hash);
  const std::string_view date = context.signer.amz_date(context.time);
  w.signed_header("x-amz-date", date);
  const std::string& token = context.signer.credentials().session_token;
  if (!token.empty()) w.signed_header("x-amz-security-token", token);
  w.authorization(context.signer, request.payload_hash, date);
  for (const auto& [name, value] : request.unsigned_headers) w.header(name, value);
  w.end();
}

}  // namespace s3lt
