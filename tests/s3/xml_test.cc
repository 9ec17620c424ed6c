#include "s3/xml.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "s3/xml_document.h"

namespace s3lt {
namespace {

TEST(ParseError, ReadsCodeMessageAndRequestId) {
  const auto error = parse_error(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>Not &lt;here&gt; "
      "&amp; not <![CDATA[<there>]]></Message><Key>k</Key><RequestId>R1</RequestId></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "NoSuchKey");
  EXPECT_EQ(error->message, "Not <here> & not <there>");
  EXPECT_EQ(error->request_id, "R1");
  EXPECT_EQ(error->region, "");
}

TEST(ParseError, ReadsCdata) {
  const auto error =
      parse_error("<Error><Code><![CDATA[SlowDown]]></Code><Message><![CDATA[a<b]]></Message></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "SlowDown");
  EXPECT_EQ(error->message, "a<b");
}

TEST(ParseError, ReadsThroughNamespacesAndPrefixes) {
  EXPECT_EQ(parse_error("<Error xmlns=\"urn:x\"><Code>A</Code></Error>")->code, "A");
  EXPECT_EQ(parse_error("<s3:Error xmlns:s3=\"urn:x\"><s3:Code>B</s3:Code></s3:Error>")->code, "B");
}

TEST(ParseError, ReadsTheRegionAndTheServersClock) {
  const auto error = parse_error(
      "<Error><Code>RequestTimeTooSkewed</Code><Region>eu-west-1</Region>"
      "<ServerTime>2026-02-04T12:00:00Z</ServerTime></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_EQ(error->server_time, "2026-02-04T12:00:00Z");
}

TEST(ParseError, ReadsPastWhatItDoesNotKnow) {
  const auto error = parse_error(
      "\xef\xbb\xbf<?xml version=\"1.0\"?><!DOCTYPE Error [<!ENTITY x \"y\">]><!-- <Error/> --><?pi?>\n"
      "<Error a=\"b\" xmlns:q=\"urn:q\">\n <!-- <Code>No</Code> --><q:Extra><Code>Inner</Code></q:Extra>\n"
      " <Code>\n  Slow<!-- really -->Down\n </Code><Message>a&#32;&#x62;&apos;&quot;&unknown;</Message>\n"
      " <RequestId/></Error>\n<!-- end -->");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "SlowDown");
  EXPECT_EQ(error->message, "a b'\"&unknown;");
  EXPECT_EQ(error->request_id, "");
}

TEST(ParseError, IsNothingWhereACharacterReferenceNamesNoCharacter) {
  for (const std::string_view reference :
       {"&#0;", "&#x0;", "&#x000;", "&#4294967296;", "&#x110000;", "&#xD800;"}) {
    EXPECT_FALSE(parse_error(fmt::format("<Error><Code>A{}B</Code></Error>", reference))) << reference;
  }
  // The parser takes these for text.
  EXPECT_EQ(parse_error("<Error><Code>A&#;&#x;&#zB&# C</Code></Error>")->code, "A&#;&#x;&#zB&# C");
  EXPECT_FALSE(parse_error(std::string_view("<Error><Code>A\0B</Code></Error>", 31)));
}

TEST(ParseError, BearsDeepNestingAndGreatLength) {
  std::string deep = "<Error><Code>A</Code>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_error(deep));
  for (int i = 0; i < 100'000; ++i) deep += "</a>";
  EXPECT_EQ(parse_error(deep + "</Error>")->code, "A");
  const std::string longest(max_xml_bytes, ' ');
  EXPECT_FALSE(parse_error(longest + "<Error><Code>A</Code></Error>"));
}

TEST(ParseError, IsNothingForOtherTexts) {
  for (const std::string_view other :
       {"", "<html><body>502 Bad Gateway</body></html>", "<Error>", "<Error></Error>", "Error",
        "<ListBucketResult/>", "{\"code\": 1}", "<Error><Code>A</Code>"}) {
    EXPECT_FALSE(parse_error(other).has_value()) << other;
  }
}

TEST(ParseList, ReadsObjectsPrefixesAndTheNextToken) {
  const auto page = parse_list(
      "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
      "<Name>b</Name><Prefix>p/</Prefix><KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>"
      "<NextContinuationToken>a+b/c==</NextContinuationToken>"
      "<Contents><Key>p/a&amp;b</Key><Size>104857600</Size><Owner><ID>Key</ID></Owner></Contents>"
      "<Contents><Key>p/c+d%20</Key><Size>0</Size></Contents>"
      "<CommonPrefixes><Prefix>p/q/</Prefix></CommonPrefixes></ListBucketResult>");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 2u);
  EXPECT_EQ(page->objects[0].key, "p/a&b");
  EXPECT_EQ(page->objects[0].size, 104857600u);
  EXPECT_EQ(page->objects[1].key, "p/c+d%20");
  EXPECT_EQ(page->common_prefixes, std::vector<std::string>{"p/q/"});
  EXPECT_TRUE(page->truncated);
  EXPECT_EQ(page->next_token, "a+b/c==");
}

TEST(ParseList, DecodesKeysWhereTheAnswerSaysSo) {
  const auto page = parse_list(
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
      "<Contents><Key>a%20b%2Bc+d/%C3%BC</Key><Size>5</Size></Contents>"
      "<Contents><Key>broken%zz</Key><Size>5</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects[0].key, "a b+c d/ü");
  EXPECT_EQ(page->objects[1].key, "broken%zz");
  EXPECT_FALSE(page->truncated);
}

TEST(ParseList, KeepsSpacesInKeys) {
  const auto page = parse_list(
      "<ListBucketResult><Contents><Key> a  b </Key><Size>1</Size></Contents>"
      "<Contents><Key> </Key><Size>1</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->objects[0].key, " a  b ");
  EXPECT_EQ(page->objects[1].key, " ");
}

TEST(ParseList, ReadsKeysThatAreWrittenInPieces) {
  const auto page = parse_list(
      "<x:ListBucketResult xmlns:x=\"urn:x\"><x:Contents><x:Key>a<!-- c --><![CDATA[<b>]]> "
      "&amp;&#13;c</x:Key>\n"
      "<x:Size> 7\n</x:Size></x:Contents><x:IsTruncated>\n true </x:IsTruncated></x:ListBucketResult>");
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "a<b> &\rc");
  EXPECT_EQ(page->objects[0].size, 7u);
  EXPECT_TRUE(page->truncated);
}

TEST(ParseList, IsNothingForObjectsWithoutKeyOrSize) {
  for (const std::string_view object :
       {"<Size>1</Size>", "<Key></Key><Size>1</Size>", "<Key>k</Key>", "<Key>k</Key><Size>x</Size>",
        "<Key>k</Key><Size>-1</Size>", "<Key>k</Key><Size>18446744073709551616</Size>"}) {
    EXPECT_FALSE(
        parse_list(fmt::format("<ListBucketResult><Contents>{}</Contents></ListBucketResult>", object)))
        << object;
  }
}

TEST(ParseList, IsNothingForOtherDocuments) {
  EXPECT_FALSE(parse_list("<Error><Code>A</Code></Error>"));
  EXPECT_FALSE(parse_list(""));
  EXPECT_FALSE(parse_list("<ListBucketResult><Contents>"));
}

TEST(XmlText, EscapesWhatWouldBeMarkup) {
  std::string out;
  append_xml_text(out, "a<b>&\"'ü\r\n");
  EXPECT_EQ(out, "a&lt;b&gt;&amp;\"'ü&#13;\n");
}

}  // namespace
}  // namespace s3lt
