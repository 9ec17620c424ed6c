#include "http/head.h"

#include <gtest/gtest.h>

#include <string>

namespace s3lt::http {
namespace {

const std::string answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag:\t\"x\" \r\nEmpty:\r\nConnection: Foo, Close\r\n\r\n";

TEST(ResponseHead, IsIncompleteAtEveryByteBeforeItsEmptyLineAndThenWhole) {
  for (std::size_t n = 0; n < answer.size(); ++n) {
    ResponseHead head;
    EXPECT_EQ(parse_response_head(std::string_view(answer).substr(0, n), head).status, HeadStatus::incomplete)
        << n;
  }
  ResponseHead head;
  const std::string with_body = answer + "abc";
  const HeadParse parsed = parse_response_head(with_body, head);
  ASSERT_EQ(parsed.status, HeadStatus::complete);
  EXPECT_EQ(parsed.size, answer.size());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.minor, 1);
  EXPECT_EQ(head.reason, "OK");
  EXPECT_EQ(head.headers.all().size(), 4u);
}

TEST(ResponseHead, FindsHeadersInAnyCaseAndTrimsTheirValues) {
  ResponseHead head;
  ASSERT_EQ(parse_response_head(answer, head).status, HeadStatus::complete);
  EXPECT_EQ(head.headers.find("etag"), "\"x\"");
  EXPECT_EQ(head.headers.find("CONTENT-LENGTH"), "3");
  EXPECT_TRUE(head.headers.has("empty"));
  EXPECT_EQ(head.headers.find("empty"), "");
  EXPECT_FALSE(head.headers.has("content"));
  EXPECT_TRUE(head.headers.has_token("connection", "close"));
  EXPECT_FALSE(head.headers.has_token("connection", "clos"));
}

TEST(ResponseHead, TakesBareLineFeedsAndMissingReasons) {
  ResponseHead head;
  const std::string lean = "HTTP/1.0 404\nA: b\n\n";
  const HeadParse parsed = parse_response_head(lean, head);
  ASSERT_EQ(parsed.status, HeadStatus::complete);
  EXPECT_EQ(parsed.size, lean.size());
  EXPECT_EQ(head.minor, 0);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "");
  EXPECT_EQ(head.headers.find("a"), "b");
}

TEST(ResponseHead, RefusesWhatIsNoHead) {
  for (const std::string_view bad : {
           "SSH-2.0-OpenSSH_9.2",
           "HTTX",
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "HTTP/1.1 +20 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nNo colon here\r\n\r\n",
           "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
           "HTTP/1.1 200 OK\r\nSpace : before the colon\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
       }) {
    ResponseHead head;
    const HeadParse parsed = parse_response_head(bad, head);
    EXPECT_EQ(parsed.status, HeadStatus::malformed) << bad;
    EXPECT_FALSE(parsed.problem.empty()) << bad;
  }
  ResponseHead head;
  EXPECT_EQ(parse_response_head(std::string_view("HTTP/1.1 200 OK\r\nA: \0b\r\n\r\n", 26), head).status,
            HeadStatus::malformed);
}

TEST(ResponseHead, TakesAHundredHeadersAndNoMore) {
  std::string text = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 100; ++i) text += "H" + std::to_string(i) + ": v\r\n";
  ResponseHead head;
  const std::string whole = text + "\r\n";
  ASSERT_EQ(parse_response_head(whole, head).status, HeadStatus::complete);
  EXPECT_EQ(head.headers.all().size(), 100u);
  EXPECT_EQ(head.headers.find("h99"), "v");
  EXPECT_EQ(parse_response_head(text + "More: v\r\n\r\n", head).status, HeadStatus::malformed);
}

TEST(ResponseHead, TakesSixtyFourKibibytesAndNoMore) {
  const std::string start = "HTTP/1.1 200 OK\r\nA: ";
  const std::string whole = start + std::string(max_head_bytes - start.size() - 4, 'v') + "\r\n\r\n";
  ASSERT_EQ(whole.size(), max_head_bytes);
  ResponseHead head;
  EXPECT_EQ(parse_response_head(whole, head).status, HeadStatus::complete);
  const std::string longer = start + std::string(max_head_bytes - start.size() - 3, 'v') + "\r\n\r\n";
  EXPECT_EQ(parse_response_head(longer, head).status, HeadStatus::malformed);
  // Without an end in sight it is refused as soon as it is that long, not kept for ever.
  EXPECT_EQ(parse_response_head(longer.substr(0, max_head_bytes), head).status, HeadStatus::malformed);
  EXPECT_EQ(parse_response_head(longer.substr(0, max_head_bytes - 1), head).status, HeadStatus::incomplete);
}

TEST(RequestHead, IsIncompleteAtEveryByteBeforeItsEmptyLineAndThenWhole) {
  const std::string request = "\r\nPUT /b/k?a=1&b HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n\r\n";
  for (std::size_t n = 0; n < request.size(); ++n) {
    RequestHead head;
    EXPECT_EQ(parse_request_head(std::string_view(request).substr(0, n), head).status, HeadStatus::incomplete)
        << n;
  }
  RequestHead head;
  const HeadParse parsed = parse_request_head(request, head);
  ASSERT_EQ(parsed.status, HeadStatus::complete);
  EXPECT_EQ(parsed.size, request.size());
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.target, "/b/k?a=1&b");
  EXPECT_EQ(head.headers.find("host"), "h:1");
}

TEST(RequestHead, RefusesBareLineFeedsAndBadTargets) {
  for (const std::string_view bad : {
           "GET / HTTP/1.1\nHost: h\n\n",
           "GET / HTTP/1.1\r\nHost: h\n\r\n",
           "GET /a b HTTP/1.1\r\n\r\n",
           "GET /\tb HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1x\r\n\r\n",
           "GET /\r\n\r\n",
           "GET\r\n\r\n",
           " / HTTP/1.1\r\n\r\n",
           "G(T / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nA : b\r\n\r\n",
       }) {
    RequestHead head;
    EXPECT_EQ(parse_request_head(bad, head).status, HeadStatus::malformed) << bad;
  }
}

Framing framing_of_answer(std::string_view head_text, std::string_view method = "GET") {
  ResponseHead head;
  EXPECT_EQ(parse_response_head(head_text, head).status, HeadStatus::complete) << head_text;
  return response_framing(head, method);
}

// RFC 9112, 6.3, rule by rule.
TEST(ResponseFraming, NoBodyAfterHeadAndBodilessStatuses) {
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD").kind,
            Framing::Kind::none);
  for (const char* status : {"100 Continue", "204 No Content", "304 Not Modified"}) {
    EXPECT_EQ(framing_of_answer(std::string("HTTP/1.1 ") + status + "\r\nContent-Length: 5\r\n\r\n").kind,
              Framing::Kind::none)
        << status;
  }
}

TEST(ResponseFraming, ChunkedWinsOverContentLengthAndMustBeLast) {
  EXPECT_EQ(
      framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: Chunked\r\n\r\n").kind,
      Framing::Kind::chunked);
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").kind,
            Framing::Kind::chunked);
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n").kind,
            Framing::Kind::until_close);
}

TEST(ResponseFraming, ContentLengthIsOneNumber) {
  const Framing five = framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(five.kind, Framing::Kind::length);
  EXPECT_EQ(five.length, 5u);
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").kind, Framing::Kind::none);
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n").length, 5u);
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n").length,
            5u);
  for (const std::string_view bad :
       {"", "-1", "+5", "5x", "0x5", "5 6", "5, 6", "5,", ",5", "5,,5", "18446744073709551616", "five"}) {
    EXPECT_FALSE(framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(bad) + "\r\n\r\n")
                     .problem.empty())
        << bad;
  }
  EXPECT_FALSE(
      framing_of_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n").problem.empty());
}

TEST(ResponseFraming, WithoutAnyTheBodyEndsWithTheConnection) {
  EXPECT_EQ(framing_of_answer("HTTP/1.1 200 OK\r\n\r\n").kind, Framing::Kind::until_close);
}

Framing framing_of_request(const std::string& headers, const std::string& version = "HTTP/1.1") {
  const std::string text = "PUT /b/k " + version + "\r\n" + headers + "\r\n";
  RequestHead head;
  EXPECT_EQ(parse_request_head(text, head).status, HeadStatus::complete) << headers;
  return request_framing(head);
}

TEST(RequestFraming, RefusesWhatCouldSmuggleARequest) {
  EXPECT_FALSE(framing_of_request("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n").problem.empty());
  EXPECT_FALSE(framing_of_request("Transfer-Encoding: gzip\r\n").problem.empty());
  // What cannot be undone must not be stored as it came.
  EXPECT_FALSE(framing_of_request("Transfer-Encoding: gzip, chunked\r\n").problem.empty());
  EXPECT_FALSE(
      framing_of_request("Transfer-Encoding: gzip\r\ntransfer-encoding: chunked\r\n").problem.empty());
  EXPECT_FALSE(framing_of_request("Transfer-Encoding: chunked\r\n", "HTTP/1.0").problem.empty());
  EXPECT_FALSE(framing_of_request("Content-Length: 3\r\nContent-Length: 4\r\n").problem.empty());
  EXPECT_EQ(framing_of_request("Transfer-Encoding: chunked\r\n").kind, Framing::Kind::chunked);
  EXPECT_EQ(framing_of_request("Content-Length: 3\r\n").length, 3u);
  EXPECT_EQ(framing_of_request("").kind, Framing::Kind::none);
}

bool kept(std::string_view text) {
  ResponseHead head;
  EXPECT_EQ(parse_response_head(text, head).status, HeadStatus::complete);
  return keeps_alive(head);
}

TEST(KeepAlive, IsTheDefaultOf11AndAnExceptionIn10) {
  EXPECT_TRUE(kept("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(kept("HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: y, CLOSE\r\n\r\n"));
  EXPECT_FALSE(kept("HTTP/1.0 200 OK\r\n\r\n"));
  EXPECT_TRUE(kept("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n"));
}

}  // namespace
}  // namespace s3lt::http
