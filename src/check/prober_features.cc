// What else a storage knows: payload modes, checksums, ranges, multipart uploads, kept connections.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "check/prober.h"
#include "check/prober_parts.h"
#include "s3/trailer_coding.h"

namespace s3lt {
namespace {

// Of an answer to something wrong.
std::optional<bool> refused(const StorageAnswer& answer) {
  if (answer.error == StreamError::cancelled) return std::nullopt;
  return answer.status / 100 != 2;
}

}  // namespace

Task<void> Prober::try_payloads() {
  const std::string& body = probe_body();
  IntegrityFact is_signed{.name = "signed", .accepted = {}, .verified = {}};
  const Draft right{.payload_hash = sha256_hex(body), .wire_body = body};
  StorageAnswer answer = co_await put(right);
  is_signed.accepted = trial_of(answer);
  if (is_signed.accepted.works()) {
    const Draft wrong{.payload_hash = sha256_hex(other_body()), .wire_body = body};
    answer = co_await put(wrong);
    is_signed.verified = refused(answer);
  }
  facts_.payloads.push_back(std::move(is_signed));

  const Draft not_signed{.payload_hash = std::string(unsigned_payload), .wire_body = body};
  answer = co_await put(not_signed);
  facts_.payloads.push_back({.name = "unsigned", .accepted = trial_of(answer), .verified = {}});

  // As boto3 sends it over https.
  IntegrityFact trailer{.name = "streaming-unsigned-trailer", .accepted = {}, .verified = {}};
  const std::string coded = TrailerCoding::whole(body, checksum_base64(ChecksumAlgorithm::crc32, body));
  const std::string coded_wrong =
      TrailerCoding::whole(body, checksum_base64(ChecksumAlgorithm::crc32, other_body()));
  Draft draft{.payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
              .headers = {{"content-encoding", "aws-chunked"},
                          {"x-amz-decoded-content-length", fmt::format("{}", body.size())},
                          {"x-amz-trailer", "x-amz-checksum-crc32"}},
              .wire_body = coded};
  answer = co_await put(draft);
  trailer.accepted = trial_of(answer);
  if (trailer.accepted.works()) {
    draft.wire_body = coded_wrong;
    answer = co_await put(draft);
    trailer.verified = refused(answer);
  }
  facts_.payloads.push_back(std::move(trailer));
}

Task<void> Prober::try_checksum(IntegrityFact& fact, const std::string& header, const std::string& right,
                                const std::string& wrong) {
  Draft draft{
      .payload_hash = sha256_hex(probe_body()), .headers = {{header, right}}, .wire_body = probe_body()};
  StorageAnswer answer = co_await put(draft);
  fact.accepted = trial_of(answer);
  if (!fact.accepted.works()) co_return;
  draft.headers = {{header, wrong}};
  answer = co_await put(draft);
  fact.verified = refused(answer);
}

Task<void> Prober::try_checksums() {
  const std::string& body = probe_body();
  IntegrityFact md5{.name = "content-md5", .accepted = {}, .verified = {}};
  const std::string right_md5 = md5_base64(body), wrong_md5 = md5_base64(other_body());
  co_await try_checksum(md5, md5.name, right_md5, wrong_md5);
  facts_.checksums.push_back(std::move(md5));
  for (const ChecksumAlgorithm algorithm :
       {ChecksumAlgorithm::crc32, ChecksumAlgorithm::crc32c, ChecksumAlgorithm::crc64nvme,
        ChecksumAlgorithm::sha1, ChecksumAlgorithm::sha256}) {
    if (!going()) co_return;
    const std::string header(checksum_header(algorithm));
    IntegrityFact fact{
        .name = header.substr(std::string_view("x-amz-checksum-").size()), .accepted = {}, .verified = {}};
    const std::string right = checksum_base64(algorithm, body),
                      wrong = checksum_base64(algorithm, other_body());
    co_await try_checksum(fact, header, right, wrong);
    facts_.checksums.push_back(std::move(fact));
  }
}

Task<void> Prober::try_reads() {
  const std::string& body = probe_body();
  const Draft waiting{.payload_hash = sha256_hex(body), .wire_body = body, .expect = true};
  StorageAnswer answer = co_await put(waiting);
  if (trial_of(answer).works()) {
    facts_.expect_continue =
        answer.interim
            ? Trial{.end = Trial::End::works, .said = {}}
            : Trial{.end = Trial::End::fails,
                    .said = fmt::format("no 100 Continue within {:.1f} s", to_seconds(answer.took))};
  } else {
    facts_.expect_continue = trial_of(answer);
    const Draft plain{.payload_hash = std::string(unsigned_payload), .wire_body = body};
    answer = co_await put(plain);
  }
  if (!trial_of(answer).works() || !going()) co_return;
  const GetObject part{.bucket = plan_.bucket, .key = last_key_, .range = "bytes=10-19"};
  answer = co_await ask(*find_profile("native"), part, "GET", "GET");
  facts_.range = trial_of(answer);
  if (answer.status == 200) facts_.range = {.end = Trial::End::fails, .said = "it brings the whole object"};
  if (answer.status == 206 && answer.body != body.substr(10, 10))
    facts_.range = {.end = Trial::End::fails, .said = "it brings other bytes"};
}

Task<void> Prober::try_multipart() {
  const auto tried = [&](std::string name, Trial trial) {
    const bool works = trial.works();
    facts_.multipart.push_back({std::move(name), std::move(trial)});
    return works;
  };
  const std::string key = new_key();
  const auto begin = [&](StorageAnswer& answer) -> Task<Upload> {
    const AdminRequest create = create_upload(key);
    answer = co_await ask_admin(*asker_, create, "CreateMultipartUpload");
    Upload upload{.key = key, .id = parse_upload_id(answer.body)};
    if (!upload.id.empty()) uploads_.push_back(upload);
    co_return upload;
  };
  StorageAnswer answer;
  const Upload upload = co_await begin(answer);
  Trial created = trial_of(answer);
  if (created.works() && upload.id.empty())
    created = {.end = Trial::End::fails, .said = "it names no upload"};
  if (!tried("create", created)) co_return;
  const AdminRequest send = upload_part(upload, 1, probe_body());
  answer = co_await ask_admin(*asker_, send, "UploadPart");
  if (tried("part", trial_of(answer))) {
    const std::vector<UploadedPart> parts{{.number = 1, .etag = std::string(answer.header("etag"))}};
    const AdminRequest complete = complete_upload(upload, parts);
    answer = co_await ask_admin(*asker_, complete, "CompleteMultipartUpload");
    note(key, answer);
    if (tried("complete", trial_of(answer))) uploads_.pop_back();
  }
  if (!going()) co_return;
  const Upload given_up = co_await begin(answer);
  if (given_up.id.empty()) co_return;
  const AdminRequest list = list_uploads(stem_, {}, {});
  answer = co_await ask_admin(*asker_, list, "ListMultipartUploads");
  Trial listed = trial_of(answer);
  if (listed.works()) {
    const auto page = parse_uploads(answer.body);
    if (!page || std::ranges::find(page->uploads, given_up.id, &Upload::id) == page->uploads.end())
      listed = {.end = Trial::End::fails, .said = "it does not list what was begun"};
  }
  const AdminRequest abort = abort_upload(given_up);
  answer = co_await ask_admin(*asker_, abort, "AbortMultipartUpload");
  if (tried("abort", trial_of(answer)))
    std::erase_if(uploads_, [&](const auto& u) { return u.id == given_up.id; });
  tried("list", listed);
}

// Whether a connection carries more than one question.
Task<void> Prober::try_connections() {
  constexpr unsigned questions = 4;
  const ListObjects list{.bucket = plan_.bucket, .prefix = stem_, .max_keys = 1};
  const WireProfile& profile = *find_profile("native");
  StorageAnswer answer = co_await ask(profile, list, "GET", "LIST");
  const unsigned before = asker_->connections();
  for (unsigned i = 0; i < questions && going(); ++i) {
    answer = co_await ask(profile, list, "GET", "LIST");
    if (answer.status == 0) co_return;
    // One that closes without a word has done so by then.
    const bool in_time = co_await pause_.until(now() + std::chrono::milliseconds(20));
    if (!in_time) co_return;
  }
  if (going()) facts_.keeps_connections = asker_->connections() - before < questions / 2;
}

}  // namespace s3lt
