// Writes the head of a request line by line and keeps what SigV4 signs of it. Made for one request; the
// values given must outlive it. Not thread-safe.
#pragma once

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "s3/sigv4.h"

namespace s3lt {

class HeadWriter {
 public:
  // `path` and `query` encoded as sent.
  HeadWriter(std::string& head, std::string_view method, std::string_view path, std::string_view query = {})
      : head_(head), method_(method), path_(path), query_(query) {
    head_.assign(method).append(" ").append(path);
    if (!query.empty()) head_.append("?").append(query);
    head_ += " HTTP/1.1\r\n";
  }
  void header(std::string_view name, std::string_view value) {
    head_.append(name).append(": ").append(value).append("\r\n");
  }
  // A header that is signed under its lower-case name.
  void signed_header(std::string_view name, std::string_view value, std::string_view lower_name) {
    header(name, value);
    std::size_t i = count_++;
    for (; i > 0 && signed_[i - 1].name > lower_name; --i) signed_[i] = signed_[i - 1];
    signed_[i] = {lower_name, value};
  }
  void signed_header(std::string_view lower_name, std::string_view value) {
    signed_header(lower_name, value, lower_name);
  }
  void number(std::string_view name, std::uint64_t value) {
    char text[20];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    header(name, {text, static_cast<std::size_t>(end - text)});
  }
  void authorization(Signer& signer, std::string_view payload_hash, std::string_view amz_date) {
    const std::string sorted = query_.empty() ? std::string() : canonical_query(query_);
    head_ += "Authorization: ";
    signer.append_authorization(head_,
                                {.method = method_,
                                 .path = path_,
                                 .canonical_query = sorted,
                                 .headers = {signed_.data(), count_},
                                 .payload_hash = payload_hash},
                                amz_date);
    head_ += "\r\n";
  }
  void end() { head_ += "\r\n"; }

 private:
  std::string& head_;
  std::string_view method_, path_, query_;
  std::array<SignedHeader, 16> signed_;
  std::size_t count_ = 0;
};

// "/bucket/key", encoded, in a buffer of the thread's own that stays valid until the next call.
std::string_view object_path(std::string_view bucket, std::string_view key);

}  // namespace s3lt
