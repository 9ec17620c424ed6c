// Takes away what the prober wrote, also what it does not know of: a request may have done its work and its
// answer got lost.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "check/prober.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

constexpr unsigned passes = 3;
constexpr Duration patience = std::chrono::seconds(30);

}  // namespace

Task<void> Prober::tidy() {
  tidying_ = true;
  if (keys_.empty() && versions_.empty() && uploads_.empty()) {
    facts_.left.looked = true;
    co_return;
  }
  // A connection of its own: that of the questions may be what failed, or was cut.
  Asker asker(loop_, plan_, endpoint_);
  stopped_ = false;
  // What got no answer may still be under way on the storage's side.
  if (!silent_.empty() || !hung_.empty()) co_await pause_.until(now() + std::chrono::seconds(1));
  const TimePoint until = now() + patience;
  for (unsigned pass = 0; pass < passes && now() < until; ++pass) {
    facts_.left.problem.clear();
    co_await remove_written(asker);
    co_await look_for_rest(asker);
    if (facts_.left.looked && facts_.left.what.empty() && (versions_.empty() || !saw_versions_)) break;
    co_await pause_.until(now() + std::chrono::milliseconds(300U << pass));
  }
  // Who may not write may not delete either, and left nothing.
  if (facts_.left.looked && facts_.left.what.empty()) facts_.left.problem.clear();
}

Task<StorageAnswer> Prober::remove(Asker& asker, const Written& one) {
  AdminRequest request{.method = "DELETE", .key = one.key, .query = {}, .body = {}};
  if (!one.version.empty()) request.query.emplace_back("versionId", one.version);
  StorageAnswer answer = co_await ask_admin(asker, request, "DELETE");
  co_return answer;
}

Task<void> Prober::remove_written(Asker& asker) {
  const std::vector<Upload> uploads = std::exchange(uploads_, {});
  for (const Upload& upload : uploads) {
    const AdminRequest abort = abort_upload(upload);
    const StorageAnswer answer = co_await ask_admin(asker, abort, "AbortMultipartUpload");
    if (answer.status / 100 == 2 || answer.status == 404) continue;
    uploads_.push_back(upload);
    facts_.left.problem = trial_of(answer).said;
  }
  std::vector<Written> all = std::exchange(versions_, {});
  // Where there are versions, deleting a key makes one more: all of them are found by listing.
  const bool versioned = saw_versions_ || (facts_.bucket.versioning && !facts_.bucket.versioning->empty());
  const std::vector<std::string> keys = std::exchange(keys_, {});
  for (const std::string& key : keys) {
    if (!versioned) all.push_back({key, {}});
  }
  if (all.empty()) co_return;
  std::vector<ObjectVersion> batch;
  for (const Written& one : all) batch.push_back({one.key, one.version});
  const AdminRequest request = delete_versions(batch);
  StorageAnswer answer = co_await ask_admin(asker, request, "DELETE-BATCH");
  const auto result = trial_of(answer).works() ? parse_delete_result(answer.body) : std::nullopt;
  if (result && result->refused.empty()) co_return;
  // One by one, then.
  for (auto one = all.begin(); one != all.end(); ++one) {
    answer = co_await remove(asker, *one);
    if (answer.status / 100 == 2 || answer.status == 404) continue;
    versions_.push_back(*one);
    facts_.left.problem = trial_of(answer).said;
    if (answer.status != 0) continue;
    versions_.insert(versions_.end(), one + 1, all.end());
    co_return;
  }
}

// Lists what is there under our own prefix; what is found is taken away by the next pass.
Task<void> Prober::look_for_rest(Asker& asker) {
  LeftBehind& left = facts_.left;
  left.what.clear();
  left.looked = false;
  std::vector<Written> found;
  if (saw_versions_ || (facts_.bucket.versioning && !facts_.bucket.versioning->empty())) {
    const AdminRequest list = list_versions(stem_, {}, {});
    const StorageAnswer answer = co_await ask_admin(asker, list, "ListObjectVersions");
    const auto page = trial_of(answer).works() ? parse_versions(answer.body) : std::nullopt;
    if (!page) co_return name_known("ListObjectVersions", answer);
    for (const ObjectVersion& one : page->versions) found.push_back({one.key, one.version});
  } else {
    const AdminRequest list = list_keys(stem_, {}, {});
    const StorageAnswer answer = co_await ask_admin(asker, list, "LIST");
    const auto page = trial_of(answer).works() ? parse_list(answer.body) : std::nullopt;
    if (!page) co_return name_known("LIST", answer);
    for (const ListPage::Object& one : page->objects) found.push_back({one.key, {}});
  }
  const AdminRequest list = list_uploads(stem_, {}, {});
  const StorageAnswer answer = co_await ask_admin(asker, list, "ListMultipartUploads");
  // Not every storage can list them: then those that we know of count.
  if (const auto page = trial_of(answer).works() ? parse_uploads(answer.body) : std::nullopt)
    uploads_ = page->uploads;
  left.looked = true;
  versions_ = std::move(found);
  name_rest();
}

// Nobody can look: what could not be taken away is known all the same. Whoever may not look, and had an
// answer to each question, knows that there is no more.
void Prober::name_known(std::string_view question, const StorageAnswer& answer) {
  name_rest();
  const bool answered = answer.status == 403 && silent_.empty() && hung_.empty();
  if (facts_.left.what.empty() && !answered)
    facts_.left.problem = fmt::format("{}: {}", question, trial_of(answer).said);
}

void Prober::name_rest() {
  std::vector<std::string>& what = facts_.left.what;
  for (const Written& one : versions_)
    what.push_back(one.version.empty() ? one.key : fmt::format("{} (version {})", one.key, one.version));
  for (const Upload& upload : uploads_) what.push_back("multipart upload of " + upload.key);
}

}  // namespace s3lt
