#include "bucket/verification.h"

#include <fmt/format.h>

#include <map>
#include <numeric>
#include <optional>

#include "base/encoding.h"
#include "base/units.h"
#include "bucket/prefix_walk.h"
#include "engine/read_check.h"
#include "workload/key_shape.h"

namespace s3lt {
namespace {

constexpr unsigned hands = 16;
constexpr std::size_t most_named = 10;  // of each kind

// The size that a key of ours speaks of; nothing where it is none.
std::optional<std::uint64_t> size_in(std::string_view key) {
  // Behind whatever prefix: size, pattern, time and suffix are the last four parts.
  std::size_t begin = key.size();
  for (int part = 0; part < 4; ++part) {
    if (begin == 0) return std::nullopt;
    begin = key.rfind('/', begin - 1);
    if (begin == key.npos) return std::nullopt;
  }
  const auto parts = parse_key_tail(key.substr(begin + 1));
  const auto size = parts ? parse_size(parts->size) : Result<std::uint64_t>(0);
  return parts && size ? std::optional(*size) : std::nullopt;
}

class Verifier {
 public:
  Verifier(const RunPlan& plan, const std::string& prefix, std::unordered_set<std::string> expected)
      : plan_(plan), prefix_(prefix), expected_(std::move(expected)), crew_(plan, hands) {}

  Result<VerificationTally> run(const std::function<bool(const VerificationTally&)>& progress) {
    walk_prefix(crew_, prefix_, [this](std::vector<ListPage::Object> page) { take(std::move(page)); });
    const auto done = crew_.run([&] {
      tally_.interrupted = !progress(tally_);
      return !tally_.interrupted;
    });
    if (!done) return std::unexpected(done.error());
    if (!tally_.interrupted) tally_.not_listed.assign(expected_.begin(), expected_.end());
    return std::move(tally_);
  }

 private:
  void take(std::vector<ListPage::Object> page) {
    std::vector<std::string> keys;
    for (ListPage::Object& object : page) {
      expected_.erase(object.key);
      if (!is_test_key_under(prefix_, object.key)) {
        ++tally_.foreign;
      } else if (!size_in(object.key)) {
        ++tally_.unverifiable;  // the earlier tool's keys say nothing of their bytes
      } else {
        keys.push_back(std::move(object.key));
      }
    }
    for (std::string& key : keys) {
      crew_.add_work([this, key = std::move(key)](BucketClient& client) { return check(client, key); });
    }
  }

  Task<void> check(BucketClient& client, std::string key) {
    const ObjectContent content{.key_hash = hash64(key), .size = *size_in(key)};
    std::optional<ReadCheck> reading;
    AdminRequest request;
    request.key = key;
    const std::function<http::BodySink*()> sink = [&]() -> http::BodySink* {
      return &reading.emplace(*plan_.pool, content, ContentCheck::Depth::bytes);
    };
    const BucketAnswer answer = co_await client.read(std::move(request), sink);
    if (answer.cancelled) co_return;
    tally_.bytes += answer.body_bytes;
    if (answer.status == 404) {
      tally_.not_found.push_back(std::move(key));
    } else if (answer.truncated) {
      ++tally_.truncated;
      name_problem("truncated",
                   fmt::format("{}: the answer broke off after {} bytes", key, answer.body_bytes));
    } else if (answer.status != 200) {
      ++tally_.failed;
      name_problem("failed", fmt::format("{}: cannot be read: {}", key, answer.reason));
    } else if (reading && reading->unverifiable()) {
      ++tally_.unverifiable;
    } else {
      ++tally_.read;
      judge(key, content, answer.body_bytes, *reading);
    }
  }

  void judge(const std::string& key, const ObjectContent& content, std::uint64_t bytes,
             const ReadCheck& check) {
    const auto wrong = judge_object(content, bytes, &check);
    if (!wrong) return;
    const Corruption kind = wrong->wrong ? wrong->wrong->kind : Corruption::length;
    ++tally_.corrupt[static_cast<std::size_t>(kind)];
    name_problem(name(kind), fmt::format("{}: {}: {}", key, name(kind), wrong->problem));
  }

  void name_problem(std::string_view kind, std::string problem) {
    if (++named_[std::string(kind)] <= most_named) tally_.problems.push_back(std::move(problem));
  }

  const RunPlan& plan_;
  const std::string& prefix_;
  std::unordered_set<std::string> expected_;
  Crew crew_;
  VerificationTally tally_;
  std::map<std::string, std::size_t> named_;
};

}  // namespace

Result<VerificationTally> verify_objects(const RunPlan& plan, const std::string& prefix,
                                         std::unordered_set<std::string> expected,
                                         const std::function<bool(const VerificationTally&)>& progress) {
  return Verifier(plan, prefix, std::move(expected)).run(progress);
}

Result<std::unordered_set<std::string>> still_listed(const RunPlan& plan,
                                                     const std::vector<std::string>& keys,
                                                     const std::function<bool()>& go_on) {
  std::unordered_set<std::string> found;
  Crew crew(plan, hands);
  for (const std::string& key : keys) {
    crew.add_listing([&crew, &found, &key](BucketClient& client) -> Task<void> {
      AdminRequest request = list_keys(key, {}, {});
      const BucketAnswer answer = co_await client.ask(std::move(request));
      const auto page = answer.ok() ? parse_list(answer.body) : std::nullopt;
      if (!page) {
        listing_failed(crew, "objects", key, answer);
      } else if (std::ranges::any_of(page->objects, [&](const auto& object) { return object.key == key; })) {
        found.insert(key);
      }
    });
  }
  bool interrupted = false;
  const auto done = crew.run([&] { return !(interrupted = !go_on()); });
  if (!done) return std::unexpected(done.error());
  if (interrupted) return unavailable("interrupted while listing again what was not found");
  return found;
}

}  // namespace s3lt
