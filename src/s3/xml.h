// The XML that S3 answers with, read by pugixml into values (S3 API reference: Error, ListBucketResult).
// Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace s3lt {

// Appends text with &, <, > and carriage returns escaped.
void append_xml_text(std::string& out, std::string_view text);
// The same in ASCII alone: each other character as a reference (&#252;). Bytes that are no UTF-8 stay.
void append_ascii_xml_text(std::string& out, std::string_view text);

struct S3Error {
  std::string code, message, request_id;
  std::string region;       // AuthorizationHeaderMalformed: the right one
  std::string server_time;  // RequestTimeTooSkewed: the server's clock (RFC 3339)
};
// Nothing where the text is no S3 error document.
std::optional<S3Error> parse_error(std::string_view xml);

struct ListPage {
  struct Object {
    std::string key;
    std::uint64_t size = 0;
  };
  std::vector<Object> objects;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_token;
};
// Keys come back decoded where the answer says EncodingType url. Nothing where it is no ListBucketResult, or
// an object has no size that is a number.
std::optional<ListPage> parse_list(std::string_view xml);

// DeleteResult, the answer to DeleteObjects.
struct DeleteResult {
  struct Refused {
    std::string key, code, message;
    std::string version;  // empty: none was named
  };
  std::uint64_t deleted = 0;
  std::vector<Refused> refused;
};
// Nothing where it is no DeleteResult.
std::optional<DeleteResult> parse_delete_result(std::string_view xml);

}  // namespace s3lt
