// The operations of a run, with the requests that a run would send.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "check/prober.h"
#include "check/prober_parts.h"
#include "s3/trailer_coding.h"
#include "s3/xml.h"

namespace s3lt {
namespace {

Trial fails(std::string said) {
  return {.end = Trial::End::fails, .said = std::move(said)};
}

// Where nothing could be written there is nothing to read or delete, and to say so is no permission: some
// storages do to whoever may list.
Trial told(const Trial& trial, const StorageAnswer& answer, bool exists) {
  return !exists && answer.status == 404 ? Trial{} : trial;
}

}  // namespace

Task<void> Prober::try_backend(const WireProfile& profile) {
  const WireTraits traits = profile.traits(endpoint_.tls);
  BackendFact fact{.name = std::string(profile.name()), .operations = {}};
  const auto tried = [&](std::string name, Trial trial) {
    fact.operations.push_back({std::move(name), std::move(trial)});
  };
  if (traits.asks_location) {
    const GetBucketLocation location{.bucket = plan_.bucket};
    const StorageAnswer answer = co_await ask(profile, location, "GET", "LOCATION");
    tried("LOCATION", trial_of(answer));
  }
  const std::string& content = probe_body();
  const std::string sha256 = sha256_hex(content), md5 = md5_base64(content);
  const std::string crc32 = checksum_base64(ChecksumAlgorithm::crc32, content);
  const std::string coded = traits.crc32_behind ? TrailerCoding::whole(content, crc32) : std::string();
  const std::string_view body = traits.crc32_behind ? coded : content;
  const auto put_of = [&](const std::string& key) {
    return PutObject{.bucket = plan_.bucket,
                     .key = key,
                     .size = content.size(),
                     .sha256_hex = sha256,
                     .crc32_base64 = crc32,
                     .md5_base64 = md5};
  };
  // What cannot be deleted is written once.
  const bool writes = may_write();
  const std::string key = writes ? new_key() : keys_.front();
  StorageAnswer answer;
  Trial put;
  if (writes) {
    const PutObject put_one = put_of(key);
    answer = co_await ask(profile, put_one, "PUT", "PUT", body, traits.expect_continue);
    note(key, answer);
    put = trial_of(answer);
  }
  const bool exists = !writes || put.works();
  tried("PUT", put);

  const HeadObject head_one{.bucket = plan_.bucket, .key = key};
  answer = co_await ask(profile, head_one, "HEAD", "HEAD");
  Trial trial = trial_of(answer);
  if (trial.works() && answer.header("content-length") != fmt::format("{}", content.size()))
    trial =
        fails(fmt::format("it has {} bytes instead of {}", answer.header("content-length"), content.size()));
  tried("HEAD", told(trial, answer, exists));
  if (answer.has_header("x-amz-object-lock-mode")) {
    // Nothing more is written that cannot be taken away.
    facts_.bucket.object_lock = true;
    facts_.bucket.default_retention = fmt::format("{} until {}", answer.header("x-amz-object-lock-mode"),
                                                  answer.header("x-amz-object-lock-retain-until-date"));
  }

  const GetObject get_one{.bucket = plan_.bucket, .key = key};
  answer = co_await ask(profile, get_one, "GET", "GET");
  trial = trial_of(answer);
  if (trial.works() && answer.body != content) trial = fails("it brought other bytes than were written");
  tried("GET", told(trial, answer, exists));

  const ListObjects list{.bucket = plan_.bucket, .prefix = stem_};
  answer = co_await ask(profile, list, "GET", "LIST");
  trial = trial_of(answer);
  if (trial.works()) {
    const auto page = parse_list(answer.body);
    if (!page) trial = fails("its answer is no listing");
    if (page && exists &&
        std::ranges::find(page->objects, key, &ListPage::Object::key) == page->objects.end())
      trial = fails("it does not list what was written");
  }
  tried("LIST", trial);

  const DeleteObject delete_one{.bucket = plan_.bucket, .key = key};
  answer = co_await ask(profile, delete_one, "DELETE", "DELETE");
  note(key, answer);
  trial = trial_of(answer);
  tried("DELETE", told(trial, answer, exists));

  const bool deletes = trial.works();
  std::string last = key;
  if (exists && deletes && may_write()) {
    last = new_key();
    const PutObject put_two = put_of(last);
    answer = co_await ask(profile, put_two, "PUT", "PUT", body, traits.expect_continue);
    note(last, answer);
  }
  const std::vector<std::string> batch{last};
  const std::string document = profile.delete_objects_body(batch, false);
  const DeleteObjects delete_both{.bucket = plan_.bucket, .body = document};
  answer = co_await ask(profile, delete_both, "POST", "DELETE-BATCH", document);
  trial = trial_of(answer);
  if (trial.works()) {
    const auto result = parse_delete_result(answer.body);
    if (!result) trial = fails("its answer does not say what was deleted");
    if (result && !result->refused.empty()) trial = fails(result->refused.front().code);
  }
  tried("DELETE-BATCH", trial);
  if (exists) {
    const bool stays = !deletes && !trial.works();
    facts_.not_written = stays ? "what is written could not be deleted again" : "";
  }
  facts_.backends.push_back(std::move(fact));
}

// Where no backend may write, the rest would be refused as well.
void Prober::judge_rights() {
  const auto denied = [](const BackendFact& backend) {
    return std::ranges::any_of(backend.operations, [](const NamedTrial& one) {
      return one.name == "PUT" && is_denied(one.trial.said);
    });
  };
  if (!facts_.backends.empty() && std::ranges::all_of(facts_.backends, denied))
    facts_.not_written = "PUT is not allowed";
}

}  // namespace s3lt
