// Connections that end at every possible byte of an exchange, in order and by a reset.
#include <atomic>
#include <future>

#include "engine/scripted_storage.h"

namespace s3lt {
namespace {

constexpr std::uint64_t object_size = 48;
const std::vector<SizeClass> one_size = {{.label = "48B", .bytes = object_size}};

enum class Ending { close, reset };

// Where the connection ends, once: after `request_bytes` of the request, or after `answer_bytes` of the
// answer.
struct Cut {
  OperationKind kind{};
  bool reused = false;  // the connection carried another request before
  Ending ending{};
  std::optional<std::uint64_t> request_bytes;
  std::optional<std::size_t> answer_bytes;
};

struct Seen {
  Counters counters;  // of the kind asked for
  std::uint64_t reconnects = 0, unknown = 0, alive = 0;
  std::size_t answer_size = 0, request_size = 0;
  bool was_cut = false;
  Outcome outcome() const {
    for (std::size_t i = 0; i < outcomes; ++i) {
      if (counters.outcomes[i] != 0) return static_cast<Outcome>(i);
    }
    return Outcome::cancelled;
  }
};

// One operation of a kind, on a connection that the cut ends.
Seen run_one(const Cut& cut) {
  Seen seen;
  std::atomic<int> requests = 0;
  const bool reads = cut.kind == OperationKind::get;
  // A read needs an object, and a used connection a use: one prefilled PUT is both.
  const int before = reads || cut.reused ? 1 : 0;
  ScriptedServer server([&](ScriptedPeer& peer, int) {
    for (;;) {
      const bool turn = requests == before && !seen.was_cut;
      if (turn && cut.request_bytes) {
        peer.read_only(*cut.request_bytes);
        ++requests;
        seen.was_cut = true;
        if (cut.ending == Ending::reset) peer.reset();
        return;
      }
      const std::string head = peer.read_head();
      if (head.empty()) return;
      const std::uint64_t body = head.starts_with("PUT") ? object_size : 0;
      peer.read_body(body);
      ++requests;
      std::string answer = good_answer(head, object_size);
      if (turn) {
        seen.answer_size = answer.size();
        seen.request_size = head.size() + body;
        if (cut.answer_bytes) {
          seen.was_cut = true;
          peer.write(answer.substr(0, *cut.answer_bytes));
          if (cut.ending == Ending::reset) peer.reset();
          return;
        }
      }
      if (requests == before && !cut.reused) answer.insert(answer.find("\r\n"), "\r\nConnection: close");
      peer.write(answer);
      if (requests == before && !cut.reused) return;
    }
  });
  RunPlan plan = plan_for(server.port(), mixed_pattern(reads ? 1.0 : 0.0, one_size), 1, 1);
  plan.prefill = static_cast<std::uint64_t>(before);
  plan.operations = 1;
  Watcher watcher;
  const auto result = run_load(plan, watcher);
  EXPECT_TRUE(result.has_value()) << result.error().message;
  if (!result) return seen;
  seen.counters = counted(result->total, cut.kind);
  seen.reconnects = result->total.client.reconnects;
  const KeyCounters keys = result->total.keys.at("mixed");
  seen.unknown = keys.unknown;
  seen.alive = keys.alive;
  return seen;
}

std::string describe(const Cut& cut) {
  return fmt::format("{} on a {} connection, {} after {} bytes of the {}", name(cut.kind),
                     cut.reused ? "used" : "new", cut.ending == Ending::close ? "closed" : "reset",
                     cut.request_bytes ? *cut.request_bytes : *cut.answer_bytes,
                     cut.request_bytes ? "request" : "answer");
}

// The same for every cut before a byte of answer.
void expect_unanswered(const Cut& cut, const Seen& seen) {
  EXPECT_EQ(seen.counters.count, 1u);
  EXPECT_EQ(seen.counters.attempts, 1u) << "no retry";
  if (cut.reused) {
    // The server may have closed an idle connection: sent again, once.
    EXPECT_EQ(name(seen.outcome()), name(Outcome::ok));
    EXPECT_EQ(seen.reconnects, 1u);
    EXPECT_EQ(seen.counters.requests, 2u);
    EXPECT_EQ(seen.unknown, 0u);
  } else {
    EXPECT_EQ(name(seen.outcome()), name(Outcome::reset));
    EXPECT_EQ(seen.reconnects, 0u);
    EXPECT_EQ(seen.counters.requests, 1u);
    EXPECT_EQ(seen.unknown, cut.kind == OperationKind::put ? 1u : 0u) << "a PUT without an answer may exist";
  }
}

std::vector<Cut> every_way(OperationKind kind) {
  std::vector<Cut> ways;
  for (const bool reused : {false, true}) {
    for (const Ending ending : {Ending::close, Ending::reset})
      ways.push_back(
          {.kind = kind, .reused = reused, .ending = ending, .request_bytes = {}, .answer_bytes = {}});
  }
  return ways;
}

// Sizes of the request and of its answer, uncut.
Seen measure(OperationKind kind) {
  return run_one({.kind = kind, .reused = true, .ending = {}, .request_bytes = {}, .answer_bytes = {}});
}

// Checks cuts several at a time: a client whose new connection was dropped waits before it ends.
void check_all(const std::vector<Cut>& cuts, const std::function<void(const Cut&, const Seen&)>& check) {
  constexpr std::size_t at_a_time = 32;
  for (std::size_t begin = 0; begin < cuts.size(); begin += at_a_time) {
    const std::size_t end = std::min(cuts.size(), begin + at_a_time);
    std::vector<std::future<Seen>> running;
    for (std::size_t i = begin; i < end; ++i)
      running.push_back(std::async(std::launch::async, run_one, cuts[i]));
    for (std::size_t i = begin; i < end; ++i) {
      SCOPED_TRACE(describe(cuts[i]));
      const Seen seen = running[i - begin].get();
      EXPECT_TRUE(seen.was_cut);
      check(cuts[i], seen);
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(EngineBrokenExchange, AConnectionThatEndsAtAnyByteOfTheRequestIsAResetOrAReconnect) {
  for (const OperationKind kind : {OperationKind::get, OperationKind::put}) {
    const std::size_t size = measure(kind).request_size;
    ASSERT_GT(size, 100u);
    std::vector<Cut> cuts;
    for (Cut cut : every_way(kind)) {
      // Reset before the first byte of a new connection, the connect itself may fail.
      const bool may_not_connect = cut.ending == Ending::reset && !cut.reused;
      for (std::size_t n = may_not_connect ? 1 : 0; n < size; ++n) {
        cut.request_bytes = n;
        cuts.push_back(cut);
      }
    }
    check_all(cuts, expect_unanswered);
  }
}

void expect_told(const Cut& cut, const Seen& seen, std::size_t head, std::size_t size) {
  const bool reads = cut.kind == OperationKind::get;
  const std::size_t n = *cut.answer_bytes;
  Outcome expected = n < size ? Outcome::reset : Outcome::ok;
  if (n >= head && n < size && cut.ending == Ending::close) expected = Outcome::truncated;
  EXPECT_EQ(name(seen.outcome()), name(expected));
  EXPECT_EQ(seen.counters.count, 1u);
  EXPECT_EQ(seen.counters.attempts, 1u);
  EXPECT_EQ(seen.counters.requests, 1u) << "a byte of answer came: it is not asked again";
  EXPECT_EQ(seen.counters.errors, n == size ? 0u : 1u);
  EXPECT_EQ(seen.counters.bytes, n == size ? object_size : 0u);
  if (reads) {
    EXPECT_EQ(seen.counters.bytes_moved, n > head ? n - head : 0u);
  } else {
    EXPECT_EQ(seen.unknown, n == size ? 0u : 1u);
  }
}

TEST(EngineBrokenExchange, AConnectionThatEndsAtAnyByteOfTheAnswerIsToldAsItWas) {
  for (const OperationKind kind : {OperationKind::get, OperationKind::put}) {
    const std::size_t size = measure(kind).answer_size;
    const std::size_t head = kind == OperationKind::get ? size - object_size : size;
    ASSERT_GT(head, 30u);
    std::vector<Cut> cuts;
    for (Cut cut : every_way(kind)) {
      for (std::size_t n = 0; n <= size; ++n) {
        cut.answer_bytes = n;
        cuts.push_back(cut);
      }
    }
    check_all(cuts, [&](const Cut& cut, const Seen& seen) {
      *cut.answer_bytes == 0 ? expect_unanswered(cut, seen) : expect_told(cut, seen, head, size);
    });
  }
}

}  // namespace
}  // namespace s3lt
