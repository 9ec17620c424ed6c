#include "http/percent.h"

#include <gtest/gtest.h>

namespace s3lt::http {
namespace {

TEST(Percent, KeepsOnlyUnreservedCharactersAndWritesTheRestInUpperCaseHex) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const std::string raw(1, c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    const std::string hex = {'%', "0123456789ABCDEF"[i / 16], "0123456789ABCDEF"[i % 16]};
    EXPECT_EQ(encode_value(raw), plain ? raw : hex) << i;
    EXPECT_EQ(encode_path(raw), plain || c == '/' ? raw : hex) << i;
    EXPECT_EQ(decode(encode_value(raw)), raw) << i;
  }
}

// The keys of a recording and how boto3 sent them.
TEST(Percent, EncodesKeysAsTheSdksDo) {
  const std::pair<std::string_view, std::string_view> keys[] = {
      {"a b", "a%20b"},
      {"a+b", "a%2Bb"},
      {"t~i-l_d.e", "t~i-l_d.e"},
      {"e=q&u", "e%3Dq%26u"},
      {"p%20q%", "p%2520q%25"},
      {"ünï/中", "%C3%BCn%C3%AF/%E4%B8%AD"},
      {"x!*'()y", "x%21%2A%27%28%29y"},
      {":@,;$?#[]", "%3A%40%2C%3B%24%3F%23%5B%5D"},
      {"//d//s/", "//d//s/"},
      {"./../dot", "./../dot"},
  };
  for (const auto& [raw, sent] : keys) {
    EXPECT_EQ(encode_path(raw), sent);
    EXPECT_EQ(decode(sent), raw);
  }
  EXPECT_EQ(encode_value("loadtest/0/"), "loadtest%2F0%2F");
}

TEST(Percent, DecodesEitherCaseAndRefusesWhatIsNoEscape) {
  EXPECT_EQ(decode("%c3%bC"), "ü");
  EXPECT_EQ(decode("%41"), "A");
  EXPECT_EQ(decode("a+b"), "a+b");
  EXPECT_EQ(decode("a+b", true), "a b");
  EXPECT_EQ(decode("%2B", true), "+");
  for (const std::string_view bad : {"%", "%4", "abc%", "%4g", "%g4", "%%41", "% 41"}) {
    EXPECT_EQ(decode(bad), std::nullopt) << bad;
  }
}

TEST(Percent, SplitsQueriesInOrderAndUndecoded) {
  using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
  EXPECT_EQ(split_query("a=1&b&c=&d=x=y&&%20=%26"),
            (Pairs{{"a", "1"}, {"b", ""}, {"c", ""}, {"d", "x=y"}, {"%20", "%26"}}));
  EXPECT_EQ(split_query(""), Pairs{});
  EXPECT_EQ(split_query("uploads&"), (Pairs{{"uploads", ""}}));
}

}  // namespace
}  // namespace s3lt::http
