// Who is let in: what the storage says to strangers, and what it tells of the bucket.
#include <algorithm>

#include "check/prober.h"

namespace s3lt {
namespace {

// A key, and a bucket, that nobody has; of the form that all storages take.
constexpr std::string_view unknown_key = "AKS3LOADTESTNOBODY01",
                           unknown_bucket = "s3loadtest-check-nobody-has-this";

}  // namespace

Task<StorageAnswer> Prober::list_as(Signer& signer, const std::string& bucket) {
  SignedRequest request{.bucket = bucket, .key = {}, .query = {}, .headers = {}, .unsigned_headers = {}};
  if (!bucket.empty()) request.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", stem_}};
  std::string head;
  encode(request, asker_->context(signer), head);
  const Question question{.name = "LIST", .method = "GET", .head = head};
  StorageAnswer answer = co_await ask(*asker_, question);
  co_return answer;
}

// Asks as somebody else, to see what the storage looks at, and whom it tells what.
Task<void> Prober::ask_strangers() {
  AccessFacts& access = facts_.access;
  Credentials wrong = plan_.credentials;
  wrong.secret_key += "x";
  Signer wrong_secret(wrong, plan_.region);
  const StorageAnswer to_wrong_secret = co_await list_as(wrong_secret, plan_.bucket);
  access.wrong_secret = status_text(to_wrong_secret);
  wrong.access_key = unknown_key;
  wrong.session_token.clear();
  Signer nobody(wrong, plan_.region);
  const StorageAnswer to_nobody = co_await list_as(nobody, plan_.bucket);
  access.unknown_key = status_text(to_nobody);
  const auto refused = [](const StorageAnswer& answer) {
    return answer.status != 0 && answer.status / 100 != 2;
  };
  if (facts_.bucket.exists) {
    if (to_wrong_secret.status != 0)
      facts_.signature_verified = refused(to_wrong_secret) && refused(to_nobody);
    Signer elsewhere(plan_.credentials, plan_.region == "eu-central-1" ? "eu-west-1" : "eu-central-1");
    const StorageAnswer answer = co_await list_as(elsewhere, plan_.bucket);
    if (answer.status != 0) facts_.region_enforced = refused(answer);
    co_return;
  }
  // It let nobody in so far: do its answers tell why?
  Signer ours(plan_.credentials, plan_.region);
  const std::string no_bucket(unknown_bucket), every_bucket;
  const StorageAnswer to_no_bucket = co_await list_as(ours, no_bucket);
  access.no_such_bucket = status_text(to_no_bucket);
  const StorageAnswer all = co_await list_as(ours, every_bucket);
  access.all_buckets = status_text(all);
}

// It may not list. May it write? If not, what do its answers to others say of the reason?
void Prober::judge_denial() {
  const auto writes = [](const BackendFact& backend) {
    return std::ranges::any_of(backend.operations,
                               [](const auto& o) { return o.name == "PUT" && o.trial.works(); });
  };
  facts_.bucket.exists = std::ranges::any_of(facts_.backends, writes);
  if (facts_.bucket.exists) return;
  const AccessFacts& access = facts_.access;
  const bool one_answer = access.wrong_secret == access.ours;
  if (!one_answer || access.all_buckets == "200") {
    facts_.problem = refusal(plan_, endpoint_, first_).message;
  } else {
    facts_.problem = unexplained(plan_, endpoint_, access.ours, access.unknown_key == access.ours).message;
  }
}

Task<void> Prober::look_at_bucket() {
  BucketFacts& bucket = facts_.bucket;
  const AdminRequest versioning = get_versioning();
  StorageAnswer answer = co_await ask_admin(*asker_, versioning, "GetBucketVersioning");
  if (trial_of(answer).works()) {
    bucket.versioning = parse_versioning(answer.body);
  } else {
    bucket.versioning_said = trial_of(answer).said;
  }
  const AdminRequest lock = get_object_lock();
  answer = co_await ask_admin(*asker_, lock, "GetObjectLockConfiguration");
  if (trial_of(answer).works()) {
    const ObjectLock found = parse_object_lock(answer.body);
    bucket.object_lock = found.enabled;
    bucket.default_retention = found.default_retention;
  } else if (answer.status == 404) {
    bucket.object_lock = false;
  }
  const AdminRequest location = get_location();
  answer = co_await ask_admin(*asker_, location, "GetBucketLocation");
  if (const auto region = trial_of(answer).works() ? parse_location(answer.body) : std::nullopt)
    bucket.location = region->empty() ? "us-east-1" : *region;
}

}  // namespace s3lt
