#include "journal/journal_line.h"

#include <gtest/gtest.h>

namespace s3lt {
namespace {

std::string text_of(const JournalLine& line) {
  std::string out;
  append_line(line, out);
  return out;
}

template <typename T>
T round_trip(const T& line) {
  const std::string text = text_of(line);
  EXPECT_EQ(text.back(), '\n');
  const auto back = parse_line(std::string_view(text).substr(0, text.size() - 1));
  EXPECT_TRUE(back.has_value()) << text;
  return back ? std::get<T>(*back) : T{};
}

TEST(JournalLine, ComesBackAsItWas) {
  const JournalOwner owner{{"http://b:1", "http://a:2"}, "bucket", "load test/%,\n/", 7};
  const auto header = round_trip(JournalHeader{3, owner});
  EXPECT_EQ(header.generation, 3u);
  EXPECT_EQ(header.owner.endpoints, (std::vector<std::string>{"http://a:2", "http://b:1"}));
  EXPECT_EQ(header.owner.bucket, owner.bucket);
  EXPECT_EQ(header.owner.prefix, owner.prefix);
  EXPECT_EQ(header.owner.worker, 7u);

  const auto opened = round_trip(SessionOpened{{"id", 4711, "123", "boot", {"baseload", "a b"}}});
  EXPECT_EQ(opened.session.id, "id");
  EXPECT_EQ(opened.session.pid, 4711u);
  EXPECT_EQ(opened.session.process_start, "123");
  EXPECT_EQ(opened.session.boot, "boot");
  EXPECT_EQ(opened.session.deletes, (std::vector<std::string>{"baseload", "a b"}));
  EXPECT_TRUE(round_trip(SessionOpened{{"id", 1, "", "", {}}}).session.deletes.empty());
  EXPECT_EQ(round_trip(SessionClosed{"x"}).id, "x");
  EXPECT_EQ(round_trip(JournalDoubt{99}).micros, 99u);
  round_trip(JournalBase{});

  const JournalKeys keys{KeyFate::uncertain, 5, "base load", "1KB", {{1, 2}, {(1ULL << 62) - 1, 0xffffffff}}};
  const auto back = round_trip(keys);
  EXPECT_EQ(back.fate, keys.fate);
  EXPECT_EQ(back.micros, keys.micros);
  EXPECT_EQ(back.pattern, keys.pattern);
  EXPECT_EQ(back.size, keys.size);
  EXPECT_EQ(back.keys, keys.keys);
}

TEST(JournalLine, AnyOtherByteIsFoundOut) {
  const std::string text = text_of(JournalKeys{KeyFate::written, 5, "p", "1KB", {{1, 2}}});
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string damaged = text.substr(0, text.size() - 1);
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(parse_line(damaged)) << i;
  }
}

TEST(JournalLines, AFileCutAtAnyByteGivesTheLinesBeforeIt) {
  std::string text;
  std::vector<std::size_t> ends{0};
  for (std::uint64_t i = 1; i <= 5; ++i) {
    append_line(JournalKeys{KeyFate::written, i, "p", "1KB", {{i, 0}}}, text);
    ends.push_back(text.size());
  }
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    JournalLines lines(std::string_view(text).substr(0, cut));
    std::uint64_t n = 0;
    while (const auto line = lines.next()) EXPECT_EQ(std::get<JournalKeys>(*line).micros, ++n);
    const auto whole =
        static_cast<std::uint64_t>(std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin()) - 1;
    EXPECT_EQ(n, whole) << cut;
    EXPECT_EQ(lines.read(), ends[whole]);
    EXPECT_EQ(lines.damaged(), 0u);
  }
}

TEST(JournalLines, DamageCostsItsLineOnly) {
  std::string text;
  for (std::uint64_t i = 1; i <= 3; ++i) append_line(JournalDoubt{i}, text);
  text[text.size() / 2] = '#';
  JournalLines lines(text);
  EXPECT_EQ(std::get<JournalDoubt>(*lines.next()).micros, 1u);
  EXPECT_EQ(std::get<JournalDoubt>(*lines.next()).micros, 3u);
  EXPECT_FALSE(lines.next());
  EXPECT_EQ(lines.damaged(), 1u);
}

}  // namespace
}  // namespace s3lt
