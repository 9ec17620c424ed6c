// The framing of boto3's PUTs over https, held against the sizes of the chunks that were recorded
// (tests/data/wire/boto3-https.put_*).
#include "s3/trailer_coding.h"

#include <gtest/gtest.h>

#include <charconv>
#include <vector>

namespace s3lt {
namespace {

// All of it, with `body`'s bytes where they belong.
std::string wire_of(const TrailerCoding& coding, std::string_view body) {
  std::string wire;
  while (wire.size() < coding.wire_size()) {
    const std::size_t before = wire.size();
    const ChunkFraming::Run run = coding.at(before, wire);
    wire += body.substr(run.data, run.length);
    if (wire.size() == before) break;
  }
  return wire;
}

// The chunks that `text` begins with; their data, their sizes ("20000 x8, 2e, 0"), and what comes behind the
// last one.
struct Chunks {
  std::string data, sizes;
  std::string_view rest;
};
Chunks decode(std::string_view text) {
  Chunks out;
  std::vector<std::pair<std::string, int>> sizes;
  for (;;) {
    const std::string size(text.substr(0, text.find("\r\n")));
    std::size_t length = 0;
    std::from_chars(size.data(), size.data() + size.size(), length, 16);
    text.remove_prefix(size.size() + 2);
    if (!sizes.empty() && sizes.back().first == size) {
      ++sizes.back().second;
    } else {
      sizes.emplace_back(size, 1);
    }
    if (length == 0) break;
    out.data += text.substr(0, length);
    EXPECT_EQ(text.substr(length, 2), "\r\n");
    text.remove_prefix(length + 2);
  }
  for (const auto& [size, times] : sizes) {
    if (!out.sizes.empty()) out.sizes += ", ";
    out.sizes += size + (times > 1 ? " x" + std::to_string(times) : "");
  }
  out.rest = text;
  return out;
}

std::string body_of(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 + i / 251);
  return body;
}

TEST(TrailerCoding, CutsBodiesAsBoto3Does) {
  struct Recorded {
    std::size_t size;
    const char *http, *aws;
  };
  const Recorded all[] = {{0, "24, 0", "0"},
                          {1024, "42b, 0", "400, 0"},
                          {1 << 20, "20000 x8, 2e, 0", "100000, 0"},
                          {8 << 20, "20000 x64, 74, 0", "100000 x8, 0"},
                          {100 << 20, "20000 x800, 40c, 0", "100000 x100, 0"}};
  for (const Recorded& recorded : all) {
    SCOPED_TRACE(recorded.size);
    const std::string body = body_of(recorded.size);
    const TrailerCoding coding(body.size(), "fFWXuQ==");
    const std::string wire = wire_of(coding, body);
    ASSERT_EQ(wire.size(), coding.wire_size());
    const Chunks http = decode(wire);
    EXPECT_EQ(http.sizes, recorded.http);
    EXPECT_EQ(http.rest, "\r\n");
    const Chunks aws = decode(http.data);
    EXPECT_EQ(aws.sizes, recorded.aws);
    EXPECT_TRUE(aws.data == body);
    EXPECT_EQ(aws.rest, "x-amz-checksum-crc32:fFWXuQ==\r\n\r\n");
  }
}

TEST(TrailerCoding, BeginsAnywhereAndKnowsHowMuchOfTheBodyLiesBefore) {
  for (const std::size_t size : {0, 1, 1000, 131'072, 1'048'576, 1'048'577, 3'000'000}) {
    const std::string body = body_of(size);
    const TrailerCoding coding(size, "AAAAAA==");
    const std::string wire = wire_of(coding, body);
    std::uint64_t before = 0;
    for (std::uint64_t offset = 0; offset < wire.size(); offset += size > 2000 ? 997 : 1) {
      std::string text;
      const ChunkFraming::Run run = coding.at(offset, text);
      ASSERT_EQ(text.empty(), run.length != 0) << size << " at " << offset;
      const std::string_view expected =
          run.length != 0 ? std::string_view(body).substr(run.data, run.length) : text;
      ASSERT_TRUE(std::string_view(wire).substr(offset, expected.size()) == expected)
          << size << " at " << offset;
      const std::uint64_t now = coding.body_before(offset);
      ASSERT_GE(now, before);
      if (run.length != 0) {
        ASSERT_EQ(now, run.data);
      }
      before = now;
    }
    EXPECT_EQ(coding.body_before(wire.size()), size);
  }
}

TEST(TrailerCoding, GivesASmallBodyWhole) {
  for (const std::string& body : {std::string(), std::string("x"), std::string(3000, 'y')})
    EXPECT_EQ(TrailerCoding::whole(body, "AAAAAA=="), wire_of(TrailerCoding(body.size(), "AAAAAA=="), body));
  EXPECT_EQ(TrailerCoding::whole({}, "AAAAAA=="),
            "24\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n\r\n0\r\n\r\n");
}

}  // namespace
}  // namespace s3lt
