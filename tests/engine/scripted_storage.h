// Answers of a scripted storage: a stand-in for a real one that does what a test needs at an exact moment. It
// keeps nothing: an object's bytes follow from its key.
#pragma once

#include <string>
#include <string_view>

#include "base/encoding.h"
#include "engine/test_run.h"
#include "net/scripted_server.h"

namespace s3lt {

// "GET /loadtest/loadtest/0/1KB/mixed/1/2 HTTP/1.1…" gives "loadtest/0/1KB/mixed/1/2".
inline std::string key_of(std::string_view head) {
  const std::size_t path = head.find("/loadtest/"), begin = path + std::string_view("/loadtest/").size();
  return std::string(head.substr(begin, head.find_first_of(" ?", begin) - begin));
}

inline std::string object_text(const std::string& key, std::uint64_t size) {
  ContentGather gather;
  const ObjectContent content{.key_hash = hash64(key), .size = size};
  std::string text;
  while (text.size() < size) {
    for (const iovec& piece : gather.gather(*run_pool(), content, text.size(), size - text.size()))
      text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return text;
}

inline std::string with_body(std::string_view status, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n\r\n{}", status, body.size(), body);
}

inline std::string s3_error(std::string_view status, std::string_view code) {
  return with_body(status,
                   fmt::format("<Error><Code>{}</Code><Message>told by a test</Message></Error>", code));
}

// What a storage that works says to a request for objects of `size`.
inline std::string good_answer(std::string_view head, std::uint64_t size) {
  if (head.starts_with("GET")) return with_body("200 OK", object_text(key_of(head), size));
  return with_body(head.starts_with("DELETE") ? "204 No Content" : "200 OK", "");
}

}  // namespace s3lt
