// What comes in, request by request, as JSON lines (`serve --record`; docs/serve.md). A RecordFile is for all
// threads; a ConnectionRecord belongs to its connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/chunked.h"
#include "http/head.h"
#include "server/aws_chunked.h"

namespace s3lt::server {

class RecordFile {
 public:
  // Empties the file. The error says why it cannot be written.
  static Result<std::unique_ptr<RecordFile>> open(const std::string& path);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;

  // In one write at the file's end, so that lines of several threads do not mix and whoever got an answer
  // finds its request. After a write that failed nothing more is written.
  void write(const std::string& line);
  // Of the first write that failed.
  Result<void> result() const;
  TimePoint opened() const { return opened_; }

 private:
  RecordFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
  const TimePoint opened_ = now();
  std::atomic<int> errno_ = 0;
};

// How often each length came in a row: {1 MiB, 99}, {10, 1}.
using ChunkLengths = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

// Writes a line when the connection is accepted, one for each request when its answer is decided (or the
// connection ended before), and one at the end.
class ConnectionRecord {
 public:
  // `number` in the order of their acceptance, from 1.
  ConnectionRecord(RecordFile& file, std::uint64_t number, std::string_view peer, bool tls);
  ~ConnectionRecord();

  // A head came whole; its body is not chunked where the head says otherwise. `keeps_text`: of a body that is
  // XML.
  void begin(const http::RequestHead& head, const http::Framing& framing, bool keeps_text);
  void begin_malformed(std::string_view problem);
  void said_continue();
  // Bytes of the body as they came, without those of the next request.
  void body(std::string_view bytes);
  void end(int status);

 private:
  struct Body {
    http::Framing framing;
    std::uint64_t bytes = 0, payload = 0;  // without HTTP's chunk framing; without that of aws-chunked too
    std::optional<http::ChunkedDecoder> http;
    std::optional<AwsChunkedDecoder> aws;
    ChunkLengths http_chunks, aws_chunks;
    std::uint64_t http_chunk = 0, aws_chunk = 0;  // bytes of the one that is coming
    std::optional<TimePoint> continued, first_byte;
    bool keeps_text = false;
    std::string text;
  };
  void take_wire(std::string_view bytes);
  std::int64_t since_opened(TimePoint t) const { return to_micros(t - file_.opened()); }

  RecordFile& file_;
  const std::uint64_t number_;
  std::uint64_t requests_ = 0;
  bool under_way_ = false;
  TimePoint head_at_{};
  std::string method_, target_, version_, problem_;
  std::vector<std::pair<std::string, std::string>> headers_;
  Body body_;
};

}  // namespace s3lt::server
