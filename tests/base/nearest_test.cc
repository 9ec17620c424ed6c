#include "base/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace s3lt {
namespace {

TEST(EditDistance, CountsSingleLetterChangesAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("baseload", "baselod"), 1U);
  EXPECT_EQ(edit_distance("baseload", "baselaod"), 1U);
  EXPECT_EQ(edit_distance("GET", "PUT"), 2U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

constexpr std::array<std::string_view, 3> commands = {"run", "serve", "patterns"};

TEST(Nearest, IsTheCandidateOfLeastDistance) {
  EXPECT_EQ(nearest("sreve", commands), "serve");
  EXPECT_EQ(nearest("pattern", commands), "patterns");
  EXPECT_EQ(nearest("x", {}), "");
}

TEST(Suggest, NamesTheNearestOrElseAll) {
  EXPECT_EQ(suggest("rnu", commands), "did you mean \"run\"?");
  EXPECT_EQ(suggest("benchmark", commands), "use one of run, serve, patterns");
}

}  // namespace
}  // namespace s3lt
