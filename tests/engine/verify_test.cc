// What a client says of objects that are not what it wrote: real ones in the embedded server, put there by
// another hand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "engine/performer.h"
#include "engine/test_run.h"
#include "net/loop_run.h"
#include "net/scripted_server.h"

namespace s3lt {
namespace {

using Bytes = std::vector<std::byte>;

// Bytes that are there already, as the body of a PUT.
class Ready final : public BodySource {
 public:
  explicit Ready(const Bytes& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::span<const iovec> pieces(std::uint64_t offset) override {
    piece_ = {const_cast<std::byte*>(bytes_.data()) + offset, bytes_.size() - offset};
    return {&piece_, 1};
  }

 private:
  const Bytes& bytes_;
  iovec piece_{};
};

// One performer on the test's own thread, and the hand that writes other bytes at its keys.
class Reading {
 public:
  Reading(std::uint16_t port, Verify verify, std::uint64_t object_size = 10'240)
      : pattern_(mixed_pattern(1.0, {{.label = "10KB", .bytes = object_size}})),
        plan_(plan_for(port, pattern_, 1, 1)) {
    plan_.verify = verify;
  }

  // Writes `count` objects, then `bytes_of(key)` over each where there are any, and reads each `times` times.
  Snapshot read(int count, const std::function<Bytes(const std::string& key)>& bytes_of, int times = 1,
                bool ours = true) {
    KeyStore keys(plan_.prefix, 0, key_spaces_of(plan_, {}), {});
    Budget budget({}, {}, 1);
    Mailbox mailbox;
    LoadThread thread(plan_, keys, nullptr, budget, mailbox, 0);
    PatternShare share(plan_, 0, keys, 0, thread.recorder());
    Performer performer(thread, share, 0);
    run_to_end(thread.loop(), work(thread, performer, keys.space(0), count, bytes_of, times, ours));
    return thread.recorder().take({}, std::chrono::seconds(1));
  }

 private:
  Task<void> work(LoadThread& thread, Performer& performer, KeySpace& space, int count,
                  const std::function<Bytes(const std::string&)>& bytes_of, int times, bool ours) {
    HttpConnection connection(thread.loop());
    const ResolvedEndpoint& endpoint = plan_.endpoints[0];
    const StreamError refused = co_await connection.connect(endpoint.addresses[0], nullptr, endpoint.host);
    EXPECT_EQ(refused, StreamError::none);
    for (int i = 0; i < count; ++i) {
      Step step{.kind = OperationKind::put,
                .space = &space,
                .entry = {.id = {0, static_cast<std::uint32_t>(i), 1'700'000'000'000'000}}};
      const Performed written = co_await performer.perform(step);
      EXPECT_EQ(written.outcome, Outcome::ok);
      std::string key, head;
      space.names.write(step.entry.id, key);
      const Bytes other = bytes_of(key);
      if (!other.empty()) {
        Ready body(other);
        plan_.profile->encode(PutObject{.bucket = plan_.bucket, .key = key, .size = other.size()},
                              {.signer = thread.signer(), .host = endpoint.host_header, .time = wall_now()},
                              head);
        const ExchangeRequest request{.method = "PUT", .head = head, .body = &body};
        const ExchangeResult result = co_await connection.exchange(request);
        EXPECT_EQ(result.status, 200) << result.body;
      }
      step.kind = OperationKind::get;
      step.ours = ours;
      for (int n = 0; n < times; ++n) co_await performer.perform(step);
    }
  }

  Pattern pattern_;
  RunPlan plan_;
};

Bytes content_of(const std::string& key, std::uint64_t size, std::uint32_t generation = 0) {
  Bytes out(size);
  copy_content(*run_pool(), {.key_hash = hash64(key), .size = size, .generation = generation}, 0, out);
  return out;
}

Counters reads(const Snapshot& snapshot) {
  return counted(snapshot, OperationKind::get);
}
std::uint64_t corrupt(const Snapshot& snapshot, Corruption kind) {
  return reads(snapshot).corrupt[static_cast<std::size_t>(kind)];
}
std::uint64_t all_corrupt(const Snapshot& snapshot) {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : reads(snapshot).corrupt) sum += n;
  return sum;
}

TEST(EngineVerify, FindsNothingWrongWithWhatItWrote) {
  const auto server = start_server();
  for (const Verify verify : {Verify::sample, Verify::all}) {
    for (const std::uint64_t size : {1u, 1024u, 10'240u, 3'000'000u}) {
      const Snapshot snapshot =
          Reading(server->port(), verify, size).read(3, [](auto&) { return Bytes{}; }, 50);
      EXPECT_EQ(outcomes_of(reads(snapshot), Outcome::ok), 150u) << size;
      EXPECT_EQ(reads(snapshot).checked, 150u);
      EXPECT_EQ(reads(snapshot).bytes, 150 * size);
      EXPECT_EQ(all_corrupt(snapshot), 0u);
    }
  }
}

TEST(EngineVerify, AnotherObjectAtTheKeyIsSwapped) {
  const auto server = start_server();
  for (const Verify verify : {Verify::sample, Verify::all}) {
    const Snapshot snapshot =
        Reading(server->port(), verify)
            .read(5, [](const std::string& key) { return content_of(key + "/another", 10'240); }, 3);
    EXPECT_EQ(outcomes_of(reads(snapshot), Outcome::corrupt), 15u);
    EXPECT_EQ(reads(snapshot).errors, 15u);
    EXPECT_EQ(reads(snapshot).attempts, 15u) << "a corrupt read is not tried again";
    EXPECT_EQ(reads(snapshot).checked, 15u);
    EXPECT_EQ(corrupt(snapshot, Corruption::swapped), 15u);
    EXPECT_EQ(all_corrupt(snapshot), 15u);
    ASSERT_EQ(snapshot.errors.size(), 10u);
    const OperationSample& sample = snapshot.errors[0];
    ASSERT_TRUE(sample.wrong);
    EXPECT_EQ(sample.wrong->kind, Corruption::swapped);
    const Stamp right = make_stamp({.key_hash = hash64(sample.key), .size = 10'240}, 0);
    const Stamp there = make_stamp({.key_hash = hash64(sample.key + "/another"), .size = 10'240}, 0);
    // One in 256 first bytes is the same by chance.
    const auto same = static_cast<std::size_t>(std::ranges::mismatch(right, there).in1 - right.begin());
    EXPECT_EQ(sample.wrong->offset, block_size - stamp_size + same);
    EXPECT_EQ(sample.wrong->expected, to_hex(std::span(right).subspan(same, 16)));
    EXPECT_EQ(sample.wrong->found, to_hex(std::span(there).subspan(same, 16)));
    EXPECT_EQ(sample.status, 200);
    EXPECT_TRUE(sample.message.starts_with(fmt::format(
        "block 0 of an object of another key, of 10240 bytes at offset {}:", sample.wrong->offset)))
        << sample.message;
  }
}

TEST(EngineVerify, AnotherGenerationIsStaleAndForeignBytesAreForeign) {
  const auto server = start_server();
  for (const Verify verify : {Verify::sample, Verify::all}) {
    const Snapshot stale = Reading(server->port(), verify).read(4, [](const std::string& key) {
      return content_of(key, 10'240, 7);
    });
    EXPECT_EQ(corrupt(stale, Corruption::stale), 4u);
    EXPECT_EQ(outcomes_of(reads(stale), Outcome::corrupt), 4u);
    const Snapshot foreign =
        Reading(server->port(), verify).read(4, [](auto&) { return Bytes(10'240, std::byte{'x'}); });
    EXPECT_EQ(corrupt(foreign, Corruption::foreign), 4u);
    EXPECT_EQ(outcomes_of(reads(foreign), Outcome::corrupt), 4u);
  }
}

TEST(EngineVerify, EveryFlippedBitIsFoundWhereAllIsCheckedAndInOneOf64ReadsElsewhere) {
  const auto server = start_server();
  // Far behind what comes with the head, and not in a stamp.
  const std::uint64_t size = 1 << 20, at = 700'000;
  const auto flipped = [&](const std::string& key) {
    Bytes bytes = content_of(key, size);
    bytes[at] ^= std::byte{32};
    return bytes;
  };
  const Snapshot all = Reading(server->port(), Verify::all, size).read(2, flipped, 40);
  EXPECT_EQ(corrupt(all, Corruption::flipped), 80u);
  EXPECT_EQ(outcomes_of(reads(all), Outcome::corrupt), 80u);
  ASSERT_FALSE(all.errors.empty());
  EXPECT_EQ(all.errors[0].wrong->offset, at);

  const Snapshot some = Reading(server->port(), Verify::sample, size).read(2, flipped, 640);
  EXPECT_EQ(reads(some).checked, 1280u);
  EXPECT_NEAR(static_cast<double>(corrupt(some, Corruption::flipped)), 20, 13) << "of 1280 reads";
  EXPECT_EQ(outcomes_of(reads(some), Outcome::ok), 1280 - corrupt(some, Corruption::flipped));

  const Snapshot none = Reading(server->port(), Verify::off, size).read(2, flipped, 40);
  EXPECT_EQ(outcomes_of(reads(none), Outcome::ok), 80u);
  EXPECT_EQ(reads(none).checked, 0u);
}

TEST(EngineVerify, TheLengthIsJudgedButAStampThatNamesAnotherObjectCountsMore) {
  const auto server = start_server();
  const auto first_bytes = [](std::uint64_t n) {
    return [n](const std::string& key) {
      Bytes bytes = content_of(key, 20'480);
      const Bytes right = content_of(key, 10'240);
      std::copy(right.begin(), right.end(), bytes.begin());
      bytes.resize(n);
      return bytes;
    };
  };
  const Snapshot shorter = Reading(server->port(), Verify::all).read(3, first_bytes(10'000));
  EXPECT_EQ(outcomes_of(reads(shorter), Outcome::truncated), 3u);
  EXPECT_EQ(corrupt(shorter, Corruption::length), 3u);
  const Snapshot longer = Reading(server->port(), Verify::all).read(3, first_bytes(11'000));
  EXPECT_EQ(outcomes_of(reads(longer), Outcome::corrupt), 3u);
  EXPECT_EQ(corrupt(longer, Corruption::length), 3u);
  const Snapshot other = Reading(server->port(), Verify::sample).read(3, [](const std::string& key) {
    return content_of(key + "/another", 1024);
  });
  EXPECT_EQ(outcomes_of(reads(other), Outcome::corrupt), 3u);
  EXPECT_EQ(corrupt(other, Corruption::swapped), 3u);
  const Snapshot unchecked = Reading(server->port(), Verify::off).read(3, first_bytes(10'000));
  EXPECT_EQ(outcomes_of(reads(unchecked), Outcome::truncated), 3u);
  EXPECT_EQ(all_corrupt(unchecked), 0u);
}

TEST(EngineVerify, ObjectsOfOthersAreNotChecked) {
  const auto server = start_server();
  const Snapshot snapshot = Reading(server->port(), Verify::all)
                                .read(3, [](auto&) { return Bytes(10'240, std::byte{'x'}); }, 1, false);
  EXPECT_EQ(outcomes_of(reads(snapshot), Outcome::ok), 3u);
  EXPECT_EQ(reads(snapshot).checked, 0u);
}

TEST(EngineVerify, AnAnswerThatBreaksOffWasNotChecked) {
  ScriptedServer server([](ScriptedPeer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty();) {
      if (head.starts_with("PUT")) {
        peer.read_body(10'240);
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      } else {
        peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\nnot all of it");
        return;
      }
    }
  });
  const Snapshot snapshot = Reading(server.port(), Verify::all).read(3, [](auto&) { return Bytes{}; });
  EXPECT_EQ(outcomes_of(reads(snapshot), Outcome::truncated), 3u);
  EXPECT_EQ(reads(snapshot).checked, 0u);
  EXPECT_EQ(all_corrupt(snapshot), 0u);
}

}  // namespace
}  // namespace s3lt
