#include "http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace s3lt::http {
namespace {

struct Decoded {
  ChunkedDecoder::Status status = ChunkedDecoder::Status::need_more;
  std::string body, trailers;
  std::size_t consumed = 0;
};

// Feeds the pieces one after another, as a connection would.
Decoded decode(std::initializer_list<std::string_view> pieces) {
  ChunkedDecoder decoder;
  Decoded out;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && out.status == ChunkedDecoder::Status::need_more) {
      const auto step = decoder.step(piece);
      out.status = step.status;
      out.body += step.data;
      out.consumed += step.consumed;
      if (step.consumed == 0 && step.status == ChunkedDecoder::Status::need_more) {
        ADD_FAILURE() << "a step that takes nothing never ends";
        return out;
      }
      piece.remove_prefix(step.consumed);
    }
  }
  out.trailers = decoder.trailers();
  return out;
}

const std::string coded =
    "5;name=value;quoted=\"a b\"\r\nhello\r\n"
    "00A \t\r\n, world...\r\n"
    "1\r\n!\r\n"
    "0;last\r\nx-amz-checksum-crc32: AAAAAA==\r\nx-two: 2\r\n\r\n";

TEST(Chunked, DecodesExtensionsAndTrailersCutAtAnyTwoPlaces) {
  for (std::size_t i = 0; i <= coded.size(); ++i) {
    for (std::size_t j = i; j <= coded.size(); ++j) {
      const std::string_view text = coded;
      const Decoded out = decode({text.substr(0, i), text.substr(i, j - i), text.substr(j)});
      ASSERT_EQ(out.status, ChunkedDecoder::Status::done) << i << " " << j;
      ASSERT_EQ(out.body, "hello, world...!") << i << " " << j;
      ASSERT_EQ(out.trailers, "x-amz-checksum-crc32: AAAAAA==\nx-two: 2\n");
      ASSERT_EQ(out.consumed, coded.size());
    }
  }
}

TEST(Chunked, NeedsMoreAtEveryByteBeforeTheEnd) {
  for (std::size_t n = 0; n < coded.size(); ++n) {
    EXPECT_EQ(decode({std::string_view(coded).substr(0, n)}).status, ChunkedDecoder::Status::need_more) << n;
  }
}

TEST(Chunked, LeavesWhatFollowsTheBody) {
  const Decoded out = decode({"3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK"});
  EXPECT_EQ(out.status, ChunkedDecoder::Status::done);
  EXPECT_EQ(out.body, "abc");
  EXPECT_EQ(out.consumed, 13u);
}

TEST(Chunked, RefusesWhatBreaksTheCoding) {
  for (const std::string_view bad : {
           "\r\n",
           "g\r\n",
           "-1\r\n",
           "0x5\r\nhello\r\n",
           " 5\r\nhello\r\n",
           "5\nhello\r\n",
           "5\rhello\r\n",
           "5\r\nhello0\r\n",
           "5\r\nhello\n0\r\n\r\n",
           "5\r\nhello\r0\r\n\r\n",
           "1000000000000000\r\n",
           "0\r\n\n",
           "0\r\nname: value\n\r\n",
       }) {
    EXPECT_EQ(decode({bad}).status, ChunkedDecoder::Status::malformed) << bad;
  }
}

TEST(Chunked, BoundsExtensionsAndTrailers) {
  EXPECT_EQ(decode({"5;" + std::string(20'000, 'x')}).status, ChunkedDecoder::Status::malformed);
  EXPECT_EQ(decode({"0\r\n" + std::string(20'000, 'x')}).status, ChunkedDecoder::Status::malformed);
  std::string many = "0\r\n";
  for (int i = 0; i < 5000; ++i) many += "a: b\r\n";
  EXPECT_EQ(decode({many}).status, ChunkedDecoder::Status::malformed);
}

TEST(Chunked, SkipsDataThatNobodyLooksAt) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.step("1000\r\n").consumed, 6u);
  EXPECT_EQ(decoder.remaining(), 0x1000u);
  decoder.skip(0xfff);
  EXPECT_EQ(decoder.remaining(), 1u);
  decoder.skip(1);
  EXPECT_EQ(decoder.remaining(), 0u);
  EXPECT_EQ(decoder.step("\r\n0\r\n\r\n").status, ChunkedDecoder::Status::done);
}

}  // namespace
}  // namespace s3lt::http
