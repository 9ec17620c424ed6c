#include "config/dotenv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace s3lt {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string value_of(std::string_view line) {
  const auto entries = parse_dotenv(line, ".env");
  if (!entries) return "error: " + entries.error().message;
  return entries->size() == 1 ? entries->front().value : "entries: " + std::to_string(entries->size());
}

TEST(Dotenv, ValuesAreLiteral) {
  EXPECT_EQ(value_of(R"(A=pa$$HOME${X}word)"), R"(pa$$HOME${X}word)");
  EXPECT_EQ(value_of(R"(A=back\slash\n)"), R"(back\slash\n)");
  EXPECT_EQ(value_of(R"(A="back\n$x\")"), R"(back\n$x\)");
  EXPECT_EQ(value_of("A=b=c=="), "b=c==");
  EXPECT_EQ(value_of("A="), "");
}

TEST(Dotenv, QuotesAroundAValueAreRemoved) {
  EXPECT_EQ(value_of(R"(A="two words")"), "two words");
  EXPECT_EQ(value_of("A='two words'  "), "two words");
  EXPECT_EQ(value_of(R"(A=" spaces ")"), " spaces ");
  EXPECT_EQ(value_of(R"(A="")"), "");
}

TEST(Dotenv, QuotesInsideAValueStay) {
  EXPECT_EQ(value_of(R"(A=it's)"), "it's");
  EXPECT_EQ(value_of(R"(A=a"b"c)"), R"(a"b"c)");
  EXPECT_EQ(value_of(R"(A="pa"ss'wo"rd")"), R"(pa"ss'wo"rd)");
  EXPECT_EQ(value_of(R"(A="open)"), R"("open)");
  EXPECT_EQ(value_of(R"(A="a"b)"), R"("a"b)");
}

TEST(Dotenv, AHashIsACommentOnlyAfterWhiteSpaceAndOutsideQuotes) {
  EXPECT_EQ(value_of("A=b # comment"), "b");
  EXPECT_EQ(value_of("A=b\t#comment"), "b");
  EXPECT_EQ(value_of("A=b#c"), "b#c");
  EXPECT_EQ(value_of("A=#b"), "#b");
  EXPECT_EQ(value_of("A= #b"), "");
  EXPECT_EQ(value_of(R"(A="b # c")"), "b # c");
  EXPECT_EQ(value_of(R"(A="b" # say "c")"), "b");
  EXPECT_EQ(value_of(R"(A="b"#c")"), R"(b"#c)");
}

TEST(Dotenv, ExportSpacesCommentsAndLineEndsAreTaken) {
  const auto entries =
      parse_dotenv("\xef\xbb\xbf# first\r\n\n  export  A=1\r\nB = two words \nexport=3\nA=4", ".env");
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 4U);
  EXPECT_EQ((*entries)[0].name, "A");
  EXPECT_EQ((*entries)[0].value, "1");
  EXPECT_EQ((*entries)[0].line, 3U);
  EXPECT_EQ((*entries)[1].name, "B");
  EXPECT_EQ((*entries)[1].value, "two words");
  EXPECT_EQ((*entries)[2].name, "export");
  EXPECT_EQ((*entries)[3].value, "4");
  EXPECT_EQ((*entries)[3].line, 6U);
}

TEST(Dotenv, AMalformedLineIsNamedButNeverShown) {
  for (const char* text : {"A=1\nSECRETtext", "A=1\nSECRET text=x", "A=1\n=SECRET", "A=1\nSECRET+/=x"}) {
    const auto entries = parse_dotenv(text, "dir/.env");
    ASSERT_FALSE(entries) << text;
    EXPECT_THAT(entries.error().message, HasSubstr("dir/.env:2:"));
    EXPECT_THAT(entries.error().message, HasSubstr("NAME=value"));
    EXPECT_THAT(entries.error().message, Not(HasSubstr("SECRET")));
  }
  EXPECT_FALSE(parse_dotenv(std::string_view("A=b\0c", 5), ".env"));
}

}  // namespace
}  // namespace s3lt
