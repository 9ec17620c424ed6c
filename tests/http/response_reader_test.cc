#include "http/response_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace s3lt::http {
namespace {

using State = ResponseReader::State;

// What a reader made of an answer.
struct Read {
  State state{};
  std::string problem, body, etag;
  int status = 0;
  unsigned interim = 0;
  std::uint64_t body_bytes = 0;
  bool reusable = false;
  bool operator==(const Read&) const = default;
};

void PrintTo(const Read& r, std::ostream* out) {
  *out << "state " << static_cast<int>(r.state) << " status " << r.status << " body \""
       << r.body.substr(0, 80) << "\" (" << r.body_bytes << ") interim " << r.interim << " etag " << r.etag
       << " problem \"" << r.problem << "\" reusable " << r.reusable;
}

// Gives `bytes` to the reader as a connection would: dropped unseen where nobody looks, else into its room.
// Returns how many it took.
std::size_t give(ResponseReader& reader, std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && reader.reading()) {
    std::size_t n = std::min<std::uint64_t>(reader.unseen(), bytes.size() - taken);
    if (n != 0) {
      reader.skipped(n);
    } else {
      const std::span<char> room = reader.room();
      n = std::min(room.size(), bytes.size() - taken);
      EXPECT_GT(n, 0u) << "no room";
      if (n == 0) break;
      std::copy_n(bytes.data() + taken, n, room.data());
      reader.received(n);
    }
    taken += n;
  }
  return taken;
}

struct Case {
  std::string name, answer, method = "GET";
  bool keep = true;
  Read expected;
};

Read read(const Case& c, const std::vector<std::string_view>& pieces) {
  ResponseReader reader;
  reader.begin(c.method, c.keep);
  for (const std::string_view piece : pieces) give(reader, piece);
  reader.ended();  // tells only answers that end with the connection
  Read out{.state = reader.state(),
           .problem = std::string(reader.problem()),
           .body = reader.body(),
           .interim = reader.interim_answers(),
           .body_bytes = reader.body_bytes(),
           .reusable = reader.reusable()};
  if (const ResponseHead* head = reader.head()) {
    out.status = head->status;
    out.etag = head->headers.find("etag");
  }
  return out;
}

const std::string ok = "HTTP/1.1 200 OK\r\n", etag = "eTaG: \"x\"\r\n";

Read done(std::string body, bool reusable = true, int status = 200, std::string tag = "\"x\"") {
  const std::uint64_t size = body.size();
  return {.state = State::done,
          .body = std::move(body),
          .etag = std::move(tag),
          .status = status,
          .body_bytes = size,
          .reusable = reusable};
}
Read with_interim(Read r, unsigned n) {
  r.interim = n;
  return r;
}

// Every row is read in one piece, cut at each position, and byte by byte.
const std::vector<Case>& answers() {
  static const std::vector<Case> table = {
      {"by length", ok + etag + "Content-Length: 5\r\n\r\nhello", "GET", true, done("hello")},
      {"odd case, tabs and no reason", "HTTP/1.1 200\r\nCONTENT-length:\t5 \t\r\n" + etag + "\r\nhello",
       "GET", true, done("hello")},
      {"bare line feeds", "HTTP/1.1 200 OK\nETag: \"x\"\nContent-Length: 5\n\nhello", "GET", true,
       done("hello")},
      {"the same length twice", ok + etag + "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello", "GET",
       true, done("hello")},
      {"the same length in a list", ok + etag + "Content-Length: 5, 5\r\n\r\nhello", "GET", true,
       done("hello")},
      {"the first of two ETags", ok + etag + "ETag: \"y\"\r\nContent-Length: 0\r\n\r\n", "GET", true,
       done("")},
      {"chunked with extensions and trailers",
       ok + etag +
           "Transfer-Encoding: Chunked\r\n\r\n3;a=b;c=\"d e\"\r\nhel\r\n02 \r\nlo\r\n0;last\r\nX: "
           "y\r\nZ:\r\n\r\n",
       "GET", true, done("hello")},
      {"chunked and a length",
       ok + etag + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "GET",
       true, done("hello", false)},
      {"chunked in HTTP/1.0",
       "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + etag +
           "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       "GET", true, done("hello", false)},
      {"interim answers, with headers of their own",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\nETag: \"no\"\r\n\r\nHTTP/1.1 "
       "102 "
       "P\r\n\r\n" +
           ok + etag + "Content-Length: 5\r\n\r\nhello",
       "GET", true, with_interim(done("hello"), 3)},
      {"to the end of the connection", ok + etag + "\r\nhello", "GET", true, done("hello", false)},
      {"Connection: close among others", ok + etag + "Connection: x, CLOSE\r\nContent-Length: 5\r\n\r\nhello",
       "GET", true, done("hello", false)},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n" + etag + "Content-Length: 5\r\n\r\nhello", "GET", true,
       done("hello", false)},
      {"HTTP/1.0 that is kept",
       "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n" + etag + "Content-Length: 5\r\n\r\nhello", "GET", true,
       done("hello")},
      {"HEAD", ok + etag + "Content-Length: 5\r\n\r\n", "HEAD", true, done("")},
      {"HEAD of a chunked one", ok + etag + "Transfer-Encoding: chunked\r\n\r\n", "HEAD", true, done("")},
      {"204", "HTTP/1.1 204 No Content\r\n" + etag + "\r\n", "DELETE", true, done("", true, 204)},
      {"304 with the length of what it does not send",
       "HTTP/1.1 304 Not Modified\r\n" + etag + "Content-Length: 5\r\n\r\n", "GET", true,
       done("", true, 304)},
      {"an error nobody asked to keep", "HTTP/1.1 503\r\n" + etag + "Content-Length: 5\r\n\r\nhello", "GET",
       false, done("hello", true, 503)},
      {"bytes behind it", ok + etag + "Content-Length: 5\r\n\r\nhelloX", "GET", true, done("hello", false)},
      {"conflicting lengths",
       ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
       "GET",
       true,
       {.state = State::malformed, .problem = "a Content-Length that is not one number"}},
      {"an unfinished list of lengths",
       ok + "Content-Length: 5,\r\n\r\nhello",
       "GET",
       true,
       {.state = State::malformed, .problem = "a Content-Length that is not one number"}},
      {"a switch of protocols",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
       "GET",
       true,
       {.state = State::malformed, .problem = "it switched to another protocol unasked", .interim = 1}},
      {"a broken chunk",
       ok + etag + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX",
       "GET",
       true,
       {.state = State::malformed,
        .problem = "a chunked body that breaks its own coding",
        .body = "hello",
        .etag = "\"x\"",
        .status = 200,
        .body_bytes = 5}},
      {"cut in a body",
       ok + etag + "Content-Length: 6\r\n\r\nhello",
       "GET",
       true,
       {.state = State::body, .body = "hello", .etag = "\"x\"", .status = 200, .body_bytes = 5}},
      {"cut in a chunk",
       ok + etag + "Transfer-Encoding: chunked\r\n\r\n6\r\nhello",
       "GET",
       true,
       {.state = State::body, .body = "hello", .etag = "\"x\"", .status = 200, .body_bytes = 5}},
      {"cut in a head", ok + "ETa", "GET", true, {.state = State::head}},
  };
  return table;
}

TEST(ResponseReader, ReadsTheSameWhereverAnAnswerIsCut) {
  for (const Case& c : answers()) {
    const std::string_view text = c.answer;
    EXPECT_EQ(read(c, {text}), c.expected) << c.name;
    for (std::size_t at = 0; at <= text.size(); ++at) {
      ASSERT_EQ(read(c, {text.substr(0, at), text.substr(at)}),
                [&] {
                  Read expected = c.expected;
                  // Bytes behind an answer that come later are seen before the next one, by the connection.
                  if (c.name == "bytes behind it" && at == text.size() - 1) expected.reusable = true;
                  return expected;
                }())
          << c.name << ", cut at " << at;
    }
    std::vector<std::string_view> bytes;
    for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
    Read expected = c.expected;
    if (c.name == "bytes behind it") expected.reusable = true;
    EXPECT_EQ(read(c, bytes), expected) << c.name << ", byte by byte";
  }
}

TEST(ResponseReader, CountsWhatNobodyKeeps) {
  for (Case c : answers()) {
    // What is dropped unseen ends with the body: the bytes behind it stay in the socket.
    if (!c.keep || c.expected.state == State::malformed || c.name == "bytes behind it") continue;
    c.keep = false;
    Read expected = c.expected;
    if (expected.status < 300) expected.body.clear();
    const std::string_view text = c.answer;
    EXPECT_EQ(read(c, {text}), expected) << c.name;
    for (std::size_t at = 0; at + 1 < text.size(); ++at)
      ASSERT_EQ(read(c, {text.substr(0, at), text.substr(at)}), expected) << c.name << ", cut at " << at;
  }
}

TEST(ResponseReader, DropsLongRunsUnseenInEitherCoding) {
  for (const std::string framing :
       {"Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n186a0\r\n"}) {
    ResponseReader reader;
    reader.begin("GET", false);
    give(reader, ok + framing);
    EXPECT_EQ(reader.unseen(), 100'000u) << framing;
    reader.skipped(100'000);
    EXPECT_EQ(reader.body_bytes(), 100'000u);
    if (framing.starts_with("Transfer")) give(reader, "\r\n0\r\n\r\n");
    EXPECT_EQ(reader.state(), State::done);
    EXPECT_TRUE(reader.reusable());
  }
}

TEST(ResponseReader, ReadsOneAnswerAfterAnother) {
  ResponseReader reader;
  for (int round = 0; round < 3; ++round) {
    for (const Case& c : answers()) {
      if (c.expected.state != State::done) continue;
      reader.begin(c.method, c.keep);
      give(reader, c.answer);
      reader.ended();
      EXPECT_EQ(reader.state(), State::done) << c.name;
      EXPECT_EQ(reader.body(), c.expected.body) << c.name;
      EXPECT_EQ(reader.interim_answers(), c.expected.interim) << c.name;
      EXPECT_EQ(reader.problem(), "") << c.name;
    }
  }
}

TEST(ResponseReader, EndsAStreamOfInterimAnswers) {
  ResponseReader reader;
  reader.begin("GET", false);
  const std::string interim = "HTTP/1.1 102 Processing\r\n\r\n";
  std::size_t given = 0;
  for (int i = 0; i < 100'000 && reader.reading(); ++i) given += give(reader, interim);
  EXPECT_EQ(reader.state(), State::malformed);
  EXPECT_EQ(reader.problem(), "1xx answers without end");
  EXPECT_LE(given, ResponseReader::max_interim_bytes + interim.size());
  // Ten thousand are none too many.
  reader.begin("GET", true);
  for (int i = 0; i < 10'000; ++i) give(reader, interim);
  give(reader, ok + "Content-Length: 2\r\n\r\nok");
  EXPECT_EQ(reader.state(), State::done);
  EXPECT_EQ(reader.body(), "ok");
}

TEST(ResponseReader, EndsAHeadWithoutEnd) {
  for (const std::string line : {"A: b\r\n", "x", "\r"}) {
    ResponseReader reader;
    reader.begin("GET", false);
    std::size_t given = give(reader, ok + "H: ");
    for (int i = 0; i < 200'000 && reader.reading(); i += 100) {
      std::string lines;
      for (int j = 0; j < 100; ++j) lines += line;
      given += give(reader, lines);
    }
    EXPECT_EQ(reader.state(), State::malformed) << line;
    EXPECT_LT(given, 2 * max_head_bytes) << line;
  }
}

TEST(ResponseReader, LeavesTheBodyOfAnErrorThatDoesNotEnd) {
  for (const std::string framing : {"Content-Length: 1000000000000\r\n\r\n", "\r\n",
                                    "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n"}) {
    ResponseReader reader;
    reader.begin("GET", false);
    std::size_t given = give(reader, "HTTP/1.1 404 Not Found\r\n" + framing);
    const std::string piece(10'000, '#');
    for (int i = 0; i < 1000 && reader.reading(); ++i) given += give(reader, piece);
    EXPECT_EQ(reader.state(), State::done) << framing;
    EXPECT_EQ(reader.head()->status, 404) << framing;
    EXPECT_EQ(reader.head()->reason, "Not Found") << framing;
    EXPECT_EQ(reader.body().size(), ResponseReader::max_error_kept) << framing;
    EXPECT_FALSE(reader.reusable()) << framing;
    EXPECT_LT(given, ResponseReader::max_error_body + 100'000) << framing;
  }
}

TEST(ResponseReader, RefusesADocumentThatIsTooLargeToKeep) {
  ResponseReader reader;
  reader.begin("GET", true);
  give(reader, ok + "Content-Length: 1000000000\r\n\r\n");
  const std::string piece(1 << 20, '#');
  for (int i = 0; i < 100 && reader.reading(); ++i) give(reader, piece);
  EXPECT_EQ(reader.state(), State::malformed);
  EXPECT_EQ(reader.problem(), "a document of more than 16 MiB");
  EXPECT_LE(reader.body().size(), ResponseReader::max_kept_body);
}

TEST(ResponseReader, TellsAHundredFromOtherInterimAnswers) {
  ResponseReader reader;
  reader.begin("PUT", false);
  give(reader, "HTTP/1.1 103 Early Hints\r\n\r\n");
  EXPECT_FALSE(reader.continued());
  EXPECT_FALSE(reader.answered());
  give(reader, "HTTP/1.1 100 Continue\r\n\r\nHT");
  EXPECT_TRUE(reader.continued());
  EXPECT_TRUE(reader.answered());
  EXPECT_EQ(reader.head(), nullptr);
}

}  // namespace
}  // namespace s3lt::http
