#include "bucket/cleanup.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/error.h"
#include "bucket/crew.h"
#include "bucket/prefix_walk.h"
#include "workload/key_shape.h"

namespace s3lt {
namespace {

constexpr unsigned hands = 8;
constexpr std::size_t most_refusals_named = 10, most_testers_named = 5;

using Deleted = std::function<void(std::span<const std::string>)>;

// One way through all that is under the prefix: counting, or deleting too.
class Sweeper {
 public:
  Sweeper(const RunPlan& plan, const CleanupScope& scope, const Deleted* deleted)
      : scope_(scope), deleted_(deleted), crew_(plan, hands) {}

  Result<CleanupTally> run(const CleanupProgress& progress) {
    if (scope_.versions) {
      list_versions_from({}, {});
    } else {
      walk_prefix(crew_, scope_.prefix, [this](std::vector<ListPage::Object> page) {
        std::vector<ObjectVersion> objects;
        for (ListPage::Object& object : page) objects.push_back({std::move(object.key), {}});
        take(std::move(objects));
      });
    }
    list_uploads_from({}, {});
    const auto done = crew_.run([&] {
      tally_.interrupted = !progress(tally_);
      return !tally_.interrupted;
    });
    if (!done) return std::unexpected(done.error());
    return tally_;
  }

 private:
  bool ours(const std::string& key) const { return scope_.any_key || is_test_key_under(scope_.prefix, key); }

  void list_versions_from(std::string key, std::string version);
  void list_uploads_from(std::string key, std::string id);
  void take(std::vector<ObjectVersion> page);
  void left_alone(const std::string& key);
  void remove(std::vector<ObjectVersion> batch);
  void abort(Upload upload);
  void ask_for_lock(ObjectVersion object, std::string reason);
  void refused(const std::string& what, const std::string& reason);

  const CleanupScope& scope_;
  const Deleted* deleted_;  // null: count only
  Crew crew_;
  CleanupTally tally_;
};

void Sweeper::list_versions_from(std::string key, std::string version) {
  crew_.add_listing(
      [this, key = std::move(key), version = std::move(version)](BucketClient& client) -> Task<void> {
        AdminRequest request = list_versions(scope_.prefix, key, version);
        const BucketAnswer answer = co_await client.ask(std::move(request));
        std::optional<VersionPage> page;
        if (answer.ok()) page = parse_versions(answer.body);
        if (!page) {
          listing_failed(crew_, "versions", scope_.prefix, answer);
          co_return;
        }
        if (page->truncated) list_versions_from(page->next_key, page->next_version);
        tally_.markers += page->markers;
        take(std::move(page->versions));
      });
}

void Sweeper::list_uploads_from(std::string key, std::string id) {
  crew_.add_listing([this, key = std::move(key), id = std::move(id)](BucketClient& client) -> Task<void> {
    AdminRequest request = list_uploads(scope_.prefix, key, id);
    const BucketAnswer answer = co_await client.ask(std::move(request));
    std::optional<UploadPage> page;
    if (answer.ok()) page = parse_uploads(answer.body);
    if (!page) {
      // Not every storage can list them, or lets everybody.
      if (!answer.cancelled)
        tally_.uploads_unknown = answer.ok() ? "its answer is no listing" : answer.reason;
      co_return;
    }
    if (page->truncated) list_uploads_from(page->next_key, page->next_id);
    for (Upload& upload : page->uploads) {
      if (!ours(upload.key)) {
        ++tally_.foreign_uploads;
        left_alone(upload.key);
      } else if (deleted_ == nullptr) {
        ++tally_.uploads;
      } else {
        abort(std::move(upload));
      }
    }
  });
}

void Sweeper::take(std::vector<ObjectVersion> page) {
  const auto foreign = std::ranges::partition(page, [&](const auto& o) { return ours(o.key); });
  tally_.foreign += foreign.size();
  for (const ObjectVersion& object : foreign) left_alone(object.key);
  page.erase(foreign.begin(), foreign.end());
  if (deleted_ == nullptr) {
    tally_.objects += page.size();
  } else if (!page.empty()) {
    remove(std::move(page));
  }
}

void Sweeper::left_alone(const std::string& key) {
  if (tally_.other_testers.size() == most_testers_named) return;
  const std::string_view of = tester_prefix_below(scope_.prefix, key);
  if (!of.empty()) tally_.other_testers.emplace(of);
}

void Sweeper::refused(const std::string& what, const std::string& reason) {
  ++tally_.refused;
  if (tally_.refusals.size() < most_refusals_named) {
    tally_.refusals.push_back(fmt::format("{}: {}", what, reason));
  }
}

void Sweeper::remove(std::vector<ObjectVersion> batch) {
  crew_.add_work([this, batch = std::move(batch)](BucketClient& client) -> Task<void> {
    AdminRequest request = delete_versions(batch);
    const BucketAnswer answer = co_await client.ask(std::move(request));
    std::optional<DeleteResult> result;
    if (answer.ok()) result = parse_delete_result(answer.body);
    if (!result) {
      if (answer.cancelled) co_return;
      const std::string reason = answer.ok() ? "its answer does not say what was deleted" : answer.reason;
      for (const ObjectVersion& object : batch) refused(object.key, reason);
      co_return;
    }
    std::set<std::string_view> kept;
    for (const DeleteResult::Refused& one : result->refused) {
      kept.insert(one.key);
      std::string reason = one.message.empty() ? one.code : fmt::format("{} ({})", one.code, one.message);
      if (!scope_.versions) {
        refused(one.key, reason);
        continue;
      }
      // Not every storage says which version it means.
      const auto object = std::ranges::find_if(batch, [&](const ObjectVersion& o) {
        return o.key == one.key && (one.version.empty() || o.version == one.version);
      });
      ask_for_lock(object == batch.end() ? ObjectVersion{one.key, one.version} : *object, std::move(reason));
    }
    std::vector<std::string> gone;
    for (const ObjectVersion& object : batch) {
      if (!kept.contains(object.key)) gone.push_back(object.key);
    }
    tally_.objects += batch.size() - std::min(batch.size(), result->refused.size());
    (*deleted_)(gone);
  });
}

// The storage would not delete it, for `reason`: an object lock is told by its name and its end.
void Sweeper::ask_for_lock(ObjectVersion object, std::string reason) {
  crew_.add_work(
      [this, object = std::move(object), reason = std::move(reason)](BucketClient& client) -> Task<void> {
        AdminRequest request = get_retention(object);
        BucketAnswer answer = co_await client.ask(std::move(request));
        std::string lock = answer.ok() ? parse_retention(answer.body) : std::string();
        if (lock.empty()) {
          AdminRequest hold = get_legal_hold(object);
          answer = co_await client.ask(std::move(hold));
          if (answer.ok() && parse_legal_hold(answer.body)) lock = "legal hold";
        }
        if (!lock.empty()) ++tally_.locked;
        const std::string what = fmt::format("{} (version {})", object.key, object.version);
        refused(what, lock.empty() ? reason : fmt::format("under retention: {}; {}", lock, reason));
      });
}

void Sweeper::abort(Upload upload) {
  crew_.add_work([this, upload = std::move(upload)](BucketClient& client) -> Task<void> {
    AdminRequest request = abort_upload(upload);
    const BucketAnswer answer = co_await client.ask(std::move(request));
    if (answer.cancelled) co_return;
    // Somebody may have ended it meanwhile.
    if (answer.ok() || answer.status == 404) {
      ++tally_.uploads;
    } else {
      refused(fmt::format("multipart upload of {}", upload.key), answer.reason);
    }
  });
}

}  // namespace

Result<CleanupTally> survey(const RunPlan& plan, const CleanupScope& scope, const CleanupProgress& progress) {
  return Sweeper(plan, scope, nullptr).run(progress);
}

Result<CleanupTally> clean(const RunPlan& plan, const CleanupScope& scope, const CleanupProgress& progress,
                           const std::function<void(std::span<const std::string>)>& deleted) {
  return Sweeper(plan, scope, &deleted).run(progress);
}

bool has_versions(const RunPlan& plan) {
  bool versions = false;
  Crew crew(plan, 1);
  crew.add_listing([&](BucketClient& client) -> Task<void> {
    AdminRequest request = get_versioning();
    const BucketAnswer answer = co_await client.ask(std::move(request));
    versions = answer.ok() && parse_has_versions(answer.body);
  });
  (void)crew.run([] { return true; });
  return versions;
}

}  // namespace s3lt
