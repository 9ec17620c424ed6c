// Every error of a pattern file, word for word and with its line.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "workload/pattern.h"

namespace s3lt {
namespace {

struct Wrong {
  std::string_view toml;  // what follows the name, from line 2 on
  std::string_view said;  // after "mine.toml:"
};
void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.said;
}

class PatternErrors : public testing::TestWithParam<Wrong> {};

TEST_P(PatternErrors, NameTheLineAndTheRemedy) {
  const auto patterns = parse_patterns(fmt::format("name = \"mine\"\n{}", GetParam().toml), "mine.toml");
  ASSERT_FALSE(patterns) << GetParam().toml;
  EXPECT_EQ(patterns.error().kind, ErrorKind::usage);
  EXPECT_EQ(patterns.error().message, fmt::format("mine.toml:{}", GetParam().said));
}

TEST(PatternError, NamesTheSourceThatMayBeMeant) {
  const auto patterns = parse_patterns(
      "[[pattern]]\nname = \"web\"\nsizes = [\"1KB\"]\nmix.PUT = 100\n"
      "[[pattern]]\nname = \"reader\"\nmix.GET = 100\nkeys.from = [\"wbe\"]\n",
      "mine.toml");
  ASSERT_FALSE(patterns);
  EXPECT_EQ(
      patterns.error().message,
      "mine.toml:8: the sizes that wbe writes are not known here; this pattern needs sizes, or did you mean "
      "\"web\"?");
}

INSTANTIATE_TEST_SUITE_P(
    Mixes, PatternErrors,
    testing::Values(
        Wrong{"sizes = [\"1KB\"]\nmix.DELETE-BACTH = 100",
              "3: [mix] has no field \"DELETE-BACTH\": did you mean \"DELETE-BATCH\"?"},
        Wrong{"mix = { DELETE-BATCH = 50, LIST = 50 }",
              "2: DELETE-BATCH stands alone, as DELETE-BATCH = 100: it is a way through a listing that all "
              "clients of the pattern go together, not an operation that a client draws"},
        Wrong{"mix = { DELETE-BATCH = 90 }",
              "2: DELETE-BATCH stands alone, as DELETE-BATCH = 100: it is a way through a listing that all "
              "clients of the pattern go together, not an operation that a client draws"},
        Wrong{"sizes = [\"1KB\"]\nmix.GET = 100\n[[burst]]\nGET = 90\nPUT = 5",
              "4: the shares of [[burst]] add up to 95, not to 100"},
        Wrong{"sizes = [\"1KB\"]\n[mix]\nget = 100", "4: [mix] has no field \"get\": did you mean \"GET\"?"},
        Wrong{"[[patern]]\nname = \"a\"",
              "2: a pattern has no [[patern]]: several patterns stand as [[pattern]], the mixes of bursts as "
              "[[burst]]"},
        Wrong{"sizes = [\"1KB\"]\nmix.GET = 100\nclients.total = 0", "4: total must be a number above 0"},
        Wrong{"sizes = [\"1KB\"]\n[mix]\nGET = 100\n[clients]\ntotal = \"10\"",
              "6: total must be a number above 0"},
        Wrong{"sizes = [\"1KB\"]\nmix.GET = 100\n[[burst]]\nGTE = 100",
              "5: [[burst]] has no field \"GTE\": did you mean \"GET\"?"},
        Wrong{"sizes = [\"1KB\"]\nmix.GET = 100\n[[burst]]\nPUT = 100",
              "4: [[burst]] needs a [schedule] with bursts: burst = \"10m\", gap = \"1h\" | window = \"5m\", "
              "bursts = [1, 3], burst = \"1m\""},
        Wrong{"sizes = [\"1KB\"]\nmix.LIST = 100\nschedule.every = \"1m\"\n[[burst]]\nLIST = 100",
              "4: [[burst]] needs a [schedule] with bursts: burst = \"10m\", gap = \"1h\" | window = \"5m\", "
              "bursts = [1, 3], burst = \"1m\""},
        Wrong{"mix.DELETE-BATCH = 100\nschedule = { burst = \"1m\", gap = \"1m\" }\n[[burst]]\nLIST = 100",
              "4: DELETE-BATCH stands alone, as DELETE-BATCH = 100: it is a way through a listing that all "
              "clients of the pattern go together, not an operation that a client draws"},
        Wrong{"sizes = [\"1KB\"]\nmix.GET = 100\nburst = \"1m\"",
              "4: the mixes of bursts stand as [[burst]], one after another (their length is burst of "
              "[schedule])"}));

constexpr std::string_view puts = "sizes = [\"1KB\"]\nmix.PUT = 100\n";
std::string arrivals(std::string_view fields) {
  return fmt::format("{}[arrivals]\n{}", puts, fields);
}

TEST(PatternError, OfArrivalsNamesTheLineAndTheRemedy) {
  const auto said = [](const std::string& toml) {
    const auto patterns = parse_patterns(fmt::format("name = \"mine\"\n{}", toml), "mine.toml");
    return patterns ? std::string("nothing") : patterns.error().message;
  };
  const std::string forms =
      "[arrivals] takes one of rate = \"500/s\" | ramp = { from = \"100/s\", to = \"5000/s\", over = \"10m\" "
      "} | "
      "steps = [{ rate = \"100/s\", for = \"1m\" }, …]";
  EXPECT_EQ(said(arrivals("kind = \"poisson\"")), "mine.toml:4: " + forms);
  EXPECT_EQ(said(arrivals("rate = \"5/s\"\nsteps = []")), "mine.toml:4: " + forms);
  EXPECT_EQ(said(arrivals("rate = 500")), "mine.toml:5: rate must be a rate in quotes, such as \"500/s\"");
  EXPECT_EQ(said(arrivals("rate = \"0/s\"")), "mine.toml:5: rate must be above 0");
  EXPECT_EQ(said(arrivals("rate = \"20000k/s\"")), "mine.toml:5: rate must be at most 10,000,000/s");
  EXPECT_EQ(
      said(arrivals("rate = \"5MB/s\"")),
      "mine.toml:5: rate: \"5MB/s\" is not a rate of operations; write it like 500/s, 30/min or 3600/h");
  EXPECT_EQ(said(arrivals("rate = \"5/s\"\nkind = \"poison\"")),
            "mine.toml:6: kind must be \"constant\" or \"poisson\", not \"poison\"");
  EXPECT_EQ(said(arrivals("ramp = { from = \"1/s\", to = \"2/s\" }")), "mine.toml:5: ramp needs over");
  EXPECT_EQ(said(arrivals("ramp = { from = \"0/s\", to = \"0/s\", over = \"1m\" }")),
            "mine.toml:5: a ramp from 0 to 0 does nothing");
  EXPECT_EQ(said(arrivals("steps = []")),
            "mine.toml:5: steps must be a list, as in steps = [{ rate = \"100/s\", for = \"1m\" }, { rate = "
            "\"200/s\", for = \"1m\" }]");
  EXPECT_EQ(said(arrivals("steps = [{ rate = \"1/s\", fro = \"1m\" }]")),
            "mine.toml:5: a step has no field \"fro\": did you mean \"for\"?");
  EXPECT_EQ(
      said(arrivals("rate = \"5/s\"\n[pacing]\noperations_per_second = 1")),
      "mine.toml:4: [arrivals] says when all clients together begin, [pacing] when each does: not both");
  EXPECT_EQ(
      said("mix.DELETE-BATCH = 100\narrivals.rate = \"5/s\""),
      "mine.toml:3: [arrivals] is for operations that clients draw, and DELETE-BATCH goes through a listing");
}

INSTANTIATE_TEST_SUITE_P(
    Schedules, PatternErrors,
    testing::Values(
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]",
              "4: [schedule] is empty: it takes one of burst = \"10m\", gap = \"1h\" | window = \"5m\", "
              "bursts = "
              "[1, 3], burst = \"1m\" | every = \"3m\""},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburts = \"1m\"",
              "5: [schedule] has no field \"burts\": did you mean \"burst\"?"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"1m\"",
              "4: [schedule] says how long a burst is, and not how often it comes: burst = \"10m\", gap = "
              "\"1h\" | "
              "window = \"5m\", bursts = [1, 3], burst = \"1m\""},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\ngap = \"1m\"",
              "4: [schedule] needs burst, as in burst = \"10m\", gap = \"1h\""},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"1m\"\nwindow = \"5m\"",
              "4: [schedule] needs bursts, as in window = \"5m\", bursts = [1, 3], burst = \"1m\""},
        Wrong{
            "sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"1m\"\ngap = \"1m\"\nwindow = \"5m\"",
            "4: [schedule] mixes kinds of schedule: it takes one of burst = \"10m\", gap = \"1h\" | window = "
            "\"5m\", bursts = [1, 3], burst = \"1m\" | every = \"3m\""},
        Wrong{
            "mix.LIST = 100\n[schedule]\nevery = \"1m\"\nburst = \"1m\"",
            "3: [schedule] mixes kinds of schedule: it takes one of burst = \"10m\", gap = \"1h\" | window = "
            "\"5m\", bursts = [1, 3], burst = \"1m\" | every = \"3m\""},
        Wrong{
            "sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nevery = \"3m\"",
            "5: every is for passes that come to an end, those of LIST = 100 or DELETE-BATCH = 100; this mix "
            "takes burst = \"10m\", gap = \"1h\" | window = \"5m\", bursts = [1, 3], burst = \"1m\""},
        Wrong{
            "sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nwindow = \"5m\"\nbursts = [1, 3]\nburst = \"2m\"",
            "7: 3 burst(s) of 2m do not fit a window of 5m; they never overlap"},
        Wrong{
            "sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nwindow = \"5m\"\nbursts = [3, 1]\nburst = \"1m\"",
            "6: bursts has its least first, as in bursts = [1, 3]"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nwindow = \"5m\"\nbursts = 0\nburst = \"1m\"",
              "6: bursts must be at least 1; a pattern without bursts has no [schedule]"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nwindow = \"5m\"\nbursts = [1, 2, 3]\nburst = "
              "\"1m\"",
              "6: bursts must be a number or the least and the most of them, as in bursts = [1, 3]"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nwindow = \"5m\"\nbursts = 101\nburst = \"1s\"",
              "6: bursts must be a whole number, 0 to 100"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nwindow = \"5m\"\nbursts = 1.5\nburst = \"1s\"",
              "6: bursts must be a whole number, 0 to 100"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"0s\"\ngap = \"1m\"",
              "5: burst: \"0s\" is no time at all; write it like 30s, 5m, 1h30m, 2d or 1w (bare numbers are "
              "seconds)"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"5x\"\ngap = \"1m\"",
              "5: burst: \"5x\" is not a duration; write it like 30s, 5m, 1h30m, 2d or 1w (bare numbers are "
              "seconds)"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"5m\"\ngap = 60",
              "6: gap must be a time in quotes, such as \"5m\" or \"200ms\""},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\nschedule = \"24/7\"",
              "4: schedule must be a table, as in [schedule]"}));

INSTANTIATE_TEST_SUITE_P(
    PaceAndSpeed, PatternErrors,
    testing::Values(
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[pacing]\nops_per_second = 4",
              "5: [pacing] has no field \"ops_per_second\": did you mean \"operations_per_second\"?"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[pacing]", "4: [pacing] needs operations_per_second"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[pacing]\noperations_per_second = 0",
              "5: operations_per_second must be a number above 0"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[pacing]\noperations_per_second = \"4\"",
              "5: operations_per_second must be a number above 0"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[pacing]\noperations_per_second = true",
              "5: operations_per_second must be a number above 0"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[schedule]\nburst = \"1m\"\ngap = \"1m\"\n[pacing]\n"
              "operations_per_second = 4",
              "7: [pacing] holds outside of bursts, and this [schedule] is silent there"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\nsped = \"1KB/s\"",
              "5: [client] has no field \"sped\": did you mean \"speed\"?"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\nspeed = 125000",
              "5: speed must be a rate in quotes, such as \"125KB/s\" or \"1Mbit/s\""},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\nspeed = \"fast\"",
              "5: speed: \"fast\" is not a rate; write it like 40MB/s (bytes, 10^6), 40MiB/s (2^20), 1Mbps "
              "(bits) "
              "or 125000 (bytes)"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\nspeed = \"0KB/s\"",
              "5: speed: \"0KB/s\" is not a rate: it must be above 0"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\ndelay = 200",
              "5: delay must be a time in quotes, such as \"5m\" or \"200ms\""},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\ndelay = [\"500ms\", \"100ms\"]",
              "5: delay has its least first, as in delay = [\"100ms\", \"500ms\"]"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[client]\ndelay = [\"500ms\"]",
              "5: delay must be a time or the least and the most of it, as in delay = [\"100ms\", "
              "\"500ms\"]"}));

INSTANTIATE_TEST_SUITE_P(
    ListingsAndSources, PatternErrors,
    testing::Values(
        Wrong{"mix.LIST = 100\n[list]\nof = \"wroker\"",
              "4: of must be \"worker\" (the keys of this worker) or \"prefix\" (those of all workers), not "
              "\"wroker\""},
        Wrong{"mix.LIST = 100\n[list]\npage = 1001", "4: page must be a whole number, 1 to 1000"},
        Wrong{"mix.LIST = 100\n[list]\npage = 0", "4: page must be a whole number, 1 to 1000"},
        Wrong{"mix.LIST = 100\n[list]\npage = -1", "4: page must be a whole number, 1 to 1000"},
        Wrong{"mix.LIST = 100\n[list]\npages = 10",
              "4: [list] has no field \"pages\": did you mean \"page\"?"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[list]\npage = 10",
              "4: [list] is for mixes with LIST or DELETE-BATCH, and this one has neither"},
        Wrong{"mix.GET = 100\n[keys]\nfrmo = [\"baseload\"]",
              "4: [keys] has no field \"frmo\": did you mean \"from\"?"},
        Wrong{"mix.GET = 100\n[keys]", "3: [keys] needs from"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = \"baseload\"",
              "4: from must be a list of patterns, as in from = [\"baseload\", \"spiky\"]"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = []",
              "4: from must be a list of patterns, as in from = [\"baseload\", \"spiky\"]"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [1]", "4: a pattern in from must be a text in quotes"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\"Base\"]", "4: \"Base\" in from is not a name of a pattern"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\n\"baseload\",\n\"baseload\"]",
              "6: baseload stands twice in from"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\n\"baseload\",\n\"chekpoint\"]",
              "6: there is no pattern \"chekpoint\" to read from; did you mean \"checkpoint\"?"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\"listops\"]", "4: listops writes no keys that could be read"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\"mine\"]", "4: mine writes no keys that could be read"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\"basload\"]",
              "4: there is no pattern \"basload\" to read from; did you mean \"baseload\"?"},
        Wrong{"mix.GET = 100\n[keys]\nfrom = [\"elsewhere\"]",
              "4: the sizes that elsewhere writes are not known here; this pattern needs sizes"},
        Wrong{"sizes = [\"1KB\"]\nmix.PUT = 100\n[keys]\nfrom = [\"baseload\"]",
              "4: [keys] says whose keys are read, and this mix has no GET, HEAD or DELETE"}));

INSTANTIATE_TEST_SUITE_P(
    Sizes, PatternErrors,
    testing::Values(
        Wrong{"mix.GET = 100",
              "1: a pattern needs sizes, unless it only lists, deletes batches or reads the keys of others "
              "([keys] from)"},
        Wrong{"mix = { GET = 50, PUT = 50 }\nkeys.from = [\"baseload\"]",
              "1: a pattern needs sizes, unless it only lists, deletes batches or reads the keys of others "
              "([keys] from)"},
        Wrong{"sizes = [\"1KB\"]\nmix.LIST = 100",
              "2: sizes are of objects that are written or read, and this mix has only LIST or DELETE-BATCH; "
              "leave sizes out"},
        Wrong{"mix.PUT = 100\nsizes = 1024",
              "3: sizes must be a list (sizes = [\"1KB\", \"1MB\"]), weights (sizes = { \"4KiB\" = 80, "
              "\"1MiB\" = "
              "20 }) or a distribution (sizes = { lognormal = { median = \"100KB\", sigma = 1.2, least = "
              "\"1KB\", "
              "most = \"100MB\" } })"},
        Wrong{"mix.PUT = 100\nsizes = [\"6TiB\"]", "3: 6TiB is more than S3 keeps in an object, 5TiB"},
        Wrong{"mix.PUT = 100\nsizes = [\"0KB\"]", "3: a size must be more than 0 bytes"},
        Wrong{"mix.PUT = 100\nsizes = { lognorml = { } }",
              "3: \"lognorml\" is not a size; did you mean \"lognormal\"?"},
        Wrong{"mix.PUT = 100\nsizes = { lognormal = 1.2 }",
              "3: lognormal must be a table of four fields: sizes = { lognormal = { median = \"100KB\", "
              "sigma = "
              "1.2, least = \"1KB\", most = \"100MB\" } }"},
        Wrong{"mix.PUT = 100\n[sizes.lognormal]\nmedian = \"100KB\"\nsigma = 1.2\nleast = \"1KB\"",
              "3: lognormal needs most"},
        Wrong{"mix.PUT = 100\n[sizes.lognormal]\nmode = \"100KB\"",
              "4: lognormal has no field \"mode\": did you mean \"most\"?"},
        Wrong{"mix.PUT = 100\n[sizes.lognormal]\nmedian = \"100KB\"\nsigma = 0\nleast = \"1KB\"\nmost = "
              "\"1MB\"",
              "5: sigma must be a number above 0"},
        Wrong{"mix.PUT = 100\n[sizes.lognormal]\nmedian = \"100KB\"\nsigma = 1\nleast = \"1MB\"\nmost = "
              "\"2MB\"",
              "3: the median of lognormal, 100KB, must lie between least, 1MB, and most, 2MB"},
        Wrong{
            "mix.PUT = 100\n[sizes.lognormal]\nmedian = \"100KB\"\nsigma = 1\nleast = \"1B\"\nmost = \"5GB\"",
            "3: lognormal has a size class for each doubling from 1B to 5GB: 33 of them, and 32 are the "
            "most; "
            "raise least or lower most"},
        Wrong{"mix.PUT = 100\n[sizes]\nlognormal = { }\n\"1KB\" = 1",
              "3: sizes are weights or lognormal, not both"}));

TEST(PatternErrorsOfSizes, TooManySizesAreRefused) {
  std::string sizes;
  for (int i = 1; i <= 33; ++i) sizes += fmt::format("\"{}KB\",", i);
  const auto patterns =
      parse_patterns(fmt::format("name = \"mine\"\nmix.PUT = 100\nsizes = [{}]", sizes), "mine.toml");
  ASSERT_FALSE(patterns);
  EXPECT_EQ(patterns.error().message, "mine.toml:3: 33 sizes are too many; 32 are the most");
}

}  // namespace
}  // namespace s3lt
