#include "server/request_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

namespace s3lt::server {
namespace json = boost::json;
namespace {

constexpr std::size_t most_text = 1024 * 1024;  // a DELETE-BATCH of 1000 keys
constexpr std::string_view token = "x-amz-security-token", masked = "***";

// JSON is UTF-8, a head any bytes: those above 127 are taken for Latin-1.
std::string utf8(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | byte >> 6);
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

// A session token is a secret also where a presigned request has it in its query.
std::string without_token(std::string_view target) {
  std::string out(target);
  for (std::size_t at = out.find('?'); at != out.npos; at = out.find('&', at + 1)) {
    const std::string_view name = std::string_view(out).substr(at + 1, token.size());
    const std::size_t value = at + 1 + token.size();
    if (!http::iequals(name, token) || value >= out.size() || out[value] != '=') continue;
    out.replace(value + 1, std::min(out.find('&', value), out.size()) - value - 1, masked);
  }
  return out;
}

void note(ChunkLengths& lengths, std::uint64_t length) {
  if (!lengths.empty() && lengths.back().first == length) {
    ++lengths.back().second;
  } else {
    lengths.emplace_back(length, 1);
  }
}

json::array to_json(const ChunkLengths& lengths) {
  json::array out;
  for (const auto& [length, times] : lengths) out.push_back(json::array{length, times});
  return out;
}

json::array lines_of(std::string_view text) {
  json::array lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(utf8(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view framing_name(http::Framing::Kind kind) {
  switch (kind) {
    case http::Framing::Kind::length:
      return "length";
    case http::Framing::Kind::chunked:
      return "chunked";
    default:
      return "none";
  }
}

}  // namespace

Result<std::unique_ptr<RecordFile>> RecordFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) {
    return unavailable(
        fmt::format("cannot write --record {}: {}; choose a file in a directory that you may write to", path,
                    std::strerror(errno)));
  }
  return std::unique_ptr<RecordFile>(new RecordFile(path, fd));
}

RecordFile::~RecordFile() {
  ::close(fd_);
}

void RecordFile::write(const std::string& line) {
  if (errno_.load(std::memory_order_relaxed) != 0) return;
  const ssize_t written = ::write(fd_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return;
  int none = 0;
  errno_.compare_exchange_strong(none, written < 0 ? errno : ENOSPC);
}

Result<void> RecordFile::result() const {
  const int error = errno_;
  if (error == 0) return {};
  return unavailable(
      fmt::format("--record {} is not complete: {}; choose a file where there is room and start again", path_,
                  std::strerror(error)));
}

ConnectionRecord::ConnectionRecord(RecordFile& file, std::uint64_t number, std::string_view peer, bool tls)
    : file_(file), number_(number) {
  file_.write(json::serialize(json::object{{"event", "connection"},
                                           {"connection", number_},
                                           {"at_us", since_opened(now())},
                                           {"peer", peer},
                                           {"tls", tls}}) +
              "\n");
}

ConnectionRecord::~ConnectionRecord() {
  end(0);
  file_.write(json::serialize(json::object{{"event", "closed"},
                                           {"connection", number_},
                                           {"at_us", since_opened(now())},
                                           {"requests", requests_}}) +
              "\n");
}

void ConnectionRecord::begin(const http::RequestHead& head, const http::Framing& framing, bool keeps_text) {
  head_at_ = now();
  under_way_ = true;
  ++requests_;
  method_ = head.method;
  target_ = without_token(head.target);
  version_ = head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
  problem_.clear();
  headers_.clear();
  for (const http::Header& h : head.headers.all())
    headers_.emplace_back(h.name, http::iequals(h.name, token) ? masked : h.value);
  body_ = {};
  body_.framing = framing;
  body_.keeps_text = keeps_text;
  if (framing.kind == http::Framing::Kind::chunked) body_.http.emplace();
  const auto coding = payload_coding(head.headers.find("x-amz-content-sha256"));
  // Their signatures are the handler's to check, not this one's.
  if (coding && coding->chunked)
    body_.aws.emplace(PayloadCoding{true, false, true}, Signer({}, {}), Signature{});
}

void ConnectionRecord::begin_malformed(std::string_view problem) {
  begin({}, {}, false);
  problem_ = problem;
}

void ConnectionRecord::said_continue() {
  body_.continued = now();
}

void ConnectionRecord::body(std::string_view bytes) {
  if (!under_way_ || bytes.empty()) return;
  if (!body_.first_byte) body_.first_byte = now();
  if (!body_.http) return take_wire(bytes);
  while (!bytes.empty()) {
    const auto step = body_.http->step(bytes);
    bytes.remove_prefix(step.consumed);
    if (!step.data.empty()) {
      body_.http_chunk += step.data.size();
      if (body_.http->remaining() == 0) note(body_.http_chunks, std::exchange(body_.http_chunk, 0));
      take_wire(step.data);
    }
    if (step.status != http::ChunkedDecoder::Status::need_more) return;
  }
}

void ConnectionRecord::take_wire(std::string_view bytes) {
  body_.bytes += bytes.size();
  const auto take = [&](std::string_view data) {
    body_.payload += data.size();
    if (body_.keeps_text && body_.text.size() + data.size() <= most_text) body_.text += data;
  };
  if (!body_.aws) return take(bytes);
  while (!bytes.empty()) {
    const auto step = body_.aws->step(bytes);
    bytes.remove_prefix(step.consumed);
    if (!step.data.empty()) {
      body_.aws_chunk += step.data.size();
      if (body_.aws->remaining() == 0) note(body_.aws_chunks, std::exchange(body_.aws_chunk, 0));
      take(step.data);
    }
    if (step.status != AwsChunkedDecoder::Status::need_more) return;
  }
}

void ConnectionRecord::end(int status) {
  if (!std::exchange(under_way_, false)) return;
  json::object line{{"event", "request"},
                    {"connection", number_},
                    {"request", requests_},
                    {"at_us", since_opened(head_at_)}};
  if (problem_.empty()) {
    json::array headers;
    for (const auto& [name, value] : headers_) headers.push_back(json::array{utf8(name), utf8(value)});
    json::object body{
        {"framing", framing_name(body_.framing.kind)}, {"bytes", body_.bytes}, {"payload", body_.payload}};
    if (body_.http) body["http_chunks"] = to_json(body_.http_chunks);
    if (body_.aws) {
      body["aws_chunks"] = to_json(body_.aws_chunks);
      body["trailers"] = lines_of(body_.aws->trailers());
    }
    if (body_.continued) body["continue_us"] = to_micros(*body_.continued - head_at_);
    if (body_.first_byte) body["first_byte_us"] = to_micros(*body_.first_byte - head_at_);
    if (!body_.text.empty()) body["text"] = utf8(body_.text);
    line["method"] = utf8(method_);
    line["target"] = utf8(target_);
    line["version"] = version_;
    line["headers"] = std::move(headers);
    line["body"] = std::move(body);
  } else {
    line["problem"] = problem_;
  }
  line["status"] = status;
  file_.write(json::serialize(line) + "\n");
}

}  // namespace s3lt::server
