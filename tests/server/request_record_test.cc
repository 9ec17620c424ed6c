// What `serve --record` writes of a connection: heads as they came, bodies by their framing, and no session
// token.
#include "server/request_record.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

namespace s3lt::server {
namespace {
namespace json = boost::json;

class RequestRecord : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("s3lt-record-" + std::to_string(::getpid()));
    file_ = RecordFile::open(path_).value();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::vector<json::object> lines() const {
    std::ifstream in(path_);
    std::vector<json::object> out;
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line).as_object());
    return out;
  }
  // A request with its body in pieces of so many bytes, on a connection of its own.
  json::object recorded(const std::string& text, const std::string& body, std::size_t piece,
                        bool keeps_text) {
    {
      ConnectionRecord record(*file_, ++connections_, "127.0.0.1:4711", false);
      http::RequestHead head;
      EXPECT_EQ(http::parse_request_head(text, head).status, http::HeadStatus::complete);
      record.begin(head, http::request_framing(head), keeps_text);
      for (std::size_t at = 0; at < body.size(); at += piece) record.body(body.substr(at, piece));
      record.end(200);
      record.end(500);  // a request has one end
    }
    const auto all = lines();
    EXPECT_EQ(all.size(), 3 * connections_);
    return all[all.size() - 2];
  }

  std::filesystem::path path_;
  std::unique_ptr<RecordFile> file_;
  std::uint64_t connections_ = 0;
};

TEST_F(RequestRecord, keeps_names_values_and_order_as_they_came) {
  const json::object line =
      recorded("GET /b/k?x=1 HTTP/1.1\r\nhost: h\r\nX-Amz-Date: now\r\nACCEPT: \xfc\r\nhost: again\r\n\r\n",
               "", 1, false);
  EXPECT_EQ(line.at("method"), "GET");
  EXPECT_EQ(line.at("target"), "/b/k?x=1");
  EXPECT_EQ(line.at("version"), "HTTP/1.1");
  EXPECT_EQ(json::serialize(line.at("headers")),
            "[[\"host\",\"h\"],[\"X-Amz-Date\",\"now\"],[\"ACCEPT\",\"\xc3\xbc\"],[\"host\",\"again\"]]");
  EXPECT_EQ(line.at("body").at("framing"), "none");
  EXPECT_EQ(line.at("status"), 200);
  EXPECT_EQ(line.at("request"), 1);
}

TEST_F(RequestRecord, masks_session_tokens_wherever_they_stand) {
  const json::object line = recorded(
      "GET /b/k?a=1&X-Amz-Security-Token=sEcret%3D&z=2 HTTP/1.1\r\nX-AMZ-security-token: sEcret\r\n\r\n", "",
      1, false);
  EXPECT_EQ(line.at("target"), "/b/k?a=1&X-Amz-Security-Token=***&z=2");
  EXPECT_EQ(json::serialize(line.at("headers")), "[[\"X-AMZ-security-token\",\"***\"]]");
  EXPECT_EQ(json::serialize(line).find("sEcret"), std::string::npos);
}

TEST_F(RequestRecord, tells_both_codings_of_a_body_wherever_it_is_cut) {
  const std::string head =
      "PUT /b/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-Amz-Decoded-Content-Length: 5\r\n"
      "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n\r\n";
  const std::string inner = "2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
  const auto hex = [](std::size_t n) { return fmt::format("{:x}", n); };
  const std::string body = "10\r\n" + inner.substr(0, 16) + "\r\n" + hex(inner.size() - 16) + "\r\n" +
                           inner.substr(16) + "\r\n0\r\n\r\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, body.size()}) {
    const json::object line = recorded(head, body, piece, true);
    const json::object& was = line.at("body").as_object();
    EXPECT_EQ(was.at("framing"), "chunked");
    EXPECT_EQ(was.at("bytes"), inner.size());
    EXPECT_EQ(was.at("payload"), 5);
    EXPECT_EQ(json::serialize(was.at("http_chunks")),
              "[[16,1],[" + std::to_string(inner.size() - 16) + ",1]]");
    EXPECT_EQ(json::serialize(was.at("aws_chunks")), "[[2,2],[1,1]]");
    EXPECT_EQ(json::serialize(was.at("trailers")), "[\"x-amz-checksum-crc32:AAAA\"]");
    EXPECT_EQ(was.at("text"), "abcde");
  }
}

TEST_F(RequestRecord, tells_of_a_request_that_had_no_answer) {
  {
    ConnectionRecord record(*file_, 7, "[::1]:1", true);
    record.begin_malformed("no such thing");
  }
  const auto all = lines();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].at("event"), "connection");
  EXPECT_EQ(all[0].at("tls"), true);
  EXPECT_EQ(all[1].at("problem"), "no such thing");
  EXPECT_EQ(all[1].at("status"), 0);
  EXPECT_EQ(all[2].at("event"), "closed");
  EXPECT_EQ(all[2].at("requests"), 1);
}

TEST(RecordFile, says_why_it_cannot_be_written) {
  const auto file = RecordFile::open("/no such directory/record");
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().message,
            "cannot write --record /no such directory/record: No such file or directory; choose a file in a "
            "directory that you may write to");
  auto full = RecordFile::open("/dev/full");
  ASSERT_TRUE(full.has_value());
  (*full)->write("{}\n");
  EXPECT_EQ(
      (*full)->result().error().message,
      "--record /dev/full is not complete: No space left on device; choose a file where there is room and "
      "start again");
}

}  // namespace
}  // namespace s3lt::server
