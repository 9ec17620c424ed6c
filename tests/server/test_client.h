// A small blocking HTTP client that signs, for tests of the server over real sockets.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/encoding.h"
#include "http/percent.h"
#include "s3/sigv4.h"
#include "server/server.h"

namespace s3lt::server {

inline const Credentials test_credentials{"testkey", "testsecret", ""};

// One pool for all tests: building it takes time.
inline std::shared_ptr<const ContentPool> test_pool() {
  static const auto pool = std::make_shared<const ContentPool>(8 * MiB);
  return pool;
}

inline std::string content_of(std::string_view key, std::uint64_t size) {
  std::string out(size, '\0');
  copy_content(*test_pool(), {.key_hash = hash64(key), .size = size}, 0,
               std::as_writable_bytes(std::span(out.data(), out.size())));
  return out;
}

struct TestResponse {
  int status = 0;                              // 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  // The text of the first element of that name.
  std::string element(const std::string& name) const {
    const std::size_t at = body.find("<" + name + ">");
    if (at == body.npos) return {};
    const std::size_t begin = at + name.size() + 2;
    return body.substr(begin, body.find("</" + name + ">", begin) - begin);
  }
  std::string code() const { return element("Code"); }
};

struct TestRequest {
  std::string method = "GET", path = "/loadtest", query = {};     // encoded
  std::vector<std::pair<std::string, std::string>> headers = {};  // lower case; all are signed
  std::string body = {};
  std::string payload_hash = {};  // empty: the body's
  std::vector<std::pair<std::string, std::string>> unsigned_headers = {};
  Credentials credentials = test_credentials;
  std::string region = "us-east-1";
  Duration clock_offset{};
  bool sign = true;
  bool send_length = true;
};

class TestClient {
 public:
  explicit TestClient(std::uint16_t port) : port_(port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};  // a test that waits longer has failed
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~TestClient() { ::close(fd_); }
  TestClient(const TestClient&) = delete;

  // The head of a request, signed.
  std::string head(const TestRequest& r) const {
    const std::string date =
        format_basic_utc(wall_now() + std::chrono::duration_cast<WallTime::duration>(r.clock_offset));
    const std::string hash = r.payload_hash.empty() ? sha256_hex(r.body) : r.payload_hash;
    const std::string host = "127.0.0.1:" + std::to_string(port_);
    auto fields = r.headers;
    fields.emplace_back("host", host);
    if (r.sign) {
      fields.emplace_back("x-amz-content-sha256", hash);
      fields.emplace_back("x-amz-date", date);
    }
    std::sort(fields.begin(), fields.end());
    std::string out = r.method + " " + r.path + (r.query.empty() ? "" : "?" + r.query) + " HTTP/1.1\r\n";
    for (const auto& [name, value] : fields) out += name + ": " + value + "\r\n";
    for (const auto& [name, value] : r.unsigned_headers) out += name + ": " + value + "\r\n";
    if (r.sign) {
      std::vector<SignedHeader> signed_headers;
      for (const auto& [name, value] : fields) signed_headers.push_back({name, value});
      const std::string query = canonical_query(r.query);
      Signer signer(r.credentials, r.region);
      out += "authorization: ";
      signer.append_authorization(out, {r.method, r.path, query, signed_headers, hash}, date);
      out += "\r\n";
    }
    const bool has_body = !r.body.empty() || r.method == "PUT" || r.method == "POST";
    if (r.send_length && has_body) out += "content-length: " + std::to_string(r.body.size()) + "\r\n";
    return out + "\r\n";
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;  // the answer, or its absence, tells
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // Reads one answer, 100 (Continue) included.
  TestResponse receive(bool head_request = false) {
    TestResponse out;
    while (input_.find("\r\n\r\n") == input_.npos) {
      if (!more()) return out;
    }
    const std::size_t end = input_.find("\r\n\r\n") + 4;
    std::string_view lines = std::string_view(input_).substr(0, end - 2);
    out.status = std::stoi(std::string(lines.substr(9, 3)));
    lines.remove_prefix(lines.find("\r\n") + 2);
    while (!lines.empty()) {
      const std::string_view line = lines.substr(0, lines.find("\r\n"));
      lines.remove_prefix(line.size() + 2);
      std::string name(line.substr(0, line.find(':')));
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      out.headers[name] = line.substr(line.find(':') + 2);
    }
    input_.erase(0, end);
    std::size_t length = 0;
    if (!head_request && out.headers.contains("content-length"))
      length = std::stoul(out.headers["content-length"]);
    while (input_.size() < length) {
      if (!more()) break;
    }
    out.body = input_.substr(0, length);
    input_.erase(0, length);
    return out;
  }

  TestResponse ask(const TestRequest& r) {
    send(head(r) + r.body);
    return receive(r.method == "HEAD");
  }
  TestResponse put(const std::string& key, const std::string& body) {
    return ask({.method = "PUT", .path = "/loadtest/" + key, .body = body});
  }
  TestResponse get(const std::string& key) { return ask({.path = "/loadtest/" + key}); }
  bool has_input() const { return !input_.empty(); }
  // Of the last receive that ended early: ECONNRESET and the like; 0 where the stream ended in order.
  int last_error() const { return last_error_; }
  bool receives_within(std::chrono::milliseconds patience) const {
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, static_cast<int>(patience.count())) > 0;
  }

 private:
  bool more() {
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    last_error_ = n < 0 ? errno : 0;
    if (n <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  std::uint16_t port_;
  int fd_;
  std::string input_;
  int last_error_ = 0;
};

// A server of its own for each test.
class ServerTest : public ::testing::Test {
 protected:
  void start(std::vector<std::string> faults = {}, std::uint64_t capacity = GiB) {
    ServerOptions options{
        .threads = 2, .credentials = test_credentials, .capacity = capacity, .pool = test_pool()};
    for (const std::string& spec : faults) options.faults.push_back(parse_fault(spec).value());
    auto started = Server::start(std::move(options));
    ASSERT_TRUE(started.has_value()) << started.error().message;
    server_ = std::move(*started);
  }
  std::uint16_t port() const { return server_->port(); }
  std::unique_ptr<Server> server_;
};

}  // namespace s3lt::server
