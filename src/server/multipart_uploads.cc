#include "server/multipart_uploads.h"

#include <algorithm>
#include <atomic>
#include <random>

#include "base/encoding.h"
#include "base/random.h"
#include "base/units.h"

namespace s3lt::server {
namespace {

constexpr std::uint64_t min_part_bytes = 5 * MiB;  // of all parts but the last

// The count makes it grow; the rest keeps the ids of one server from meaning something to the next.
std::string new_id() {
  static const std::uint64_t salt = std::random_device()() | std::uint64_t{std::random_device()()} << 32;
  static std::atomic<std::uint64_t> count{0};
  const std::uint64_t n = ++count, mixed = mix64(n ^ salt);
  std::array<std::byte, 16> bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = std::byte(n >> (56 - 8 * i) & 255);
    bytes[i + 8] = std::byte(mixed >> (56 - 8 * i) & 255);
  }
  return to_hex(bytes);
}

std::string_view unquoted(std::string_view tag) {
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') return tag.substr(1, tag.size() - 2);
  return tag;
}

bool is_named(const PartFacts& part, const NamedPart& named) {
  if (unquoted(named.etag) != to_hex(part.md5)) return false;
  return named.checksum.empty() || (part.checksum && part.checksum.base64() == named.checksum);
}

using Parts = std::map<unsigned, Part>;

void add_bytes(ChecksumStream& stream, const Part& part, const ContentPool& pool) {
  if (part.bytes) return stream.update({part.bytes->data.get(), part.facts.size});
  std::vector<std::byte> piece(256 * KiB);
  for (std::uint64_t done = 0; done < part.facts.size; done += piece.size()) {
    const std::span<std::byte> place(piece.data(),
                                     std::min<std::uint64_t>(piece.size(), part.facts.size - done));
    copy_content(pool, part.content.content, part.content.offset + done, place);
    stream.update(place);
  }
}

Checksum object_checksum(const UploadFacts& upload, const Parts& parts, const std::vector<NamedPart>& named,
                         const ContentPool& pool) {
  if (upload.algorithm == ChecksumAlgorithm::none) return {};
  ChecksumStream stream(upload.algorithm);
  for (const NamedPart& n : named) {
    const Part& part = parts.at(n.number);
    if (upload.composite) {
      stream.update(part.facts.checksum.bytes());
    } else {
      add_bytes(stream, part, pool);
    }
  }
  Checksum checksum = stream.finish();
  checksum.composite = upload.composite;
  return checksum;
}

std::optional<S3Error> check(const Parts& parts, const std::vector<NamedPart>& named) {
  for (std::size_t i = 1; i < named.size(); ++i) {
    if (named[i].number <= named[i - 1].number) return errors::invalid_part_order;
  }
  for (const NamedPart& n : named) {
    const auto it = parts.find(n.number);
    if (it == parts.end() || !is_named(it->second.facts, n)) return errors::invalid_part;
  }
  for (std::size_t i = 0; i + 1 < named.size(); ++i) {
    if (parts.at(named[i].number).facts.size < min_part_bytes) return errors::entity_too_small;
  }
  return std::nullopt;
}

std::optional<S3Error> check(const Upload& upload, const std::vector<NamedPart>& named,
                             const ExpectedObject& expected, const ContentPool& pool) {
  if (expected.size) {
    std::uint64_t size = 0;
    for (const NamedPart& n : named) size += upload.parts.at(n.number).facts.size;
    if (size != *expected.size) {
      return S3Error{"InvalidRequest", 400,
                     "The provided 'x-amz-mp-object-size' header does not match what was computed"};
    }
  }
  if (expected.algorithm == ChecksumAlgorithm::none) return std::nullopt;
  if (expected.algorithm != upload.facts.algorithm) {
    return S3Error{"InvalidRequest", 400,
                   "The x-amz-checksum- header is of another algorithm than the upload was created with."};
  }
  const Checksum checksum = object_checksum(upload.facts, upload.parts, named, pool);
  if (checksum_text(checksum, named.size()) != expected.checksum) return errors::bad_digest;
  return std::nullopt;
}

}  // namespace

std::string etag(const PartFacts& part) {
  return '"' + to_hex(part.md5) + '"';
}

std::string MultipartUploads::create(UploadFacts facts) {
  facts.id = new_id();
  std::string id = facts.id;
  Name name{facts.key, id};
  const std::lock_guard lock(mutex_);
  uploads_.emplace(std::move(name), Upload{std::move(facts), {}});
  return id;
}

std::optional<UploadFacts> MultipartUploads::find(std::string_view key, std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto it = uploads_.find(Name(key, id));
  return it == uploads_.end() ? std::nullopt : std::optional(it->second.facts);
}

bool MultipartUploads::put_part(std::string_view key, std::string_view id, Part part) {
  // The part that was there ends after the lock: freeing much memory takes long.
  const std::lock_guard lock(mutex_);
  const auto it = uploads_.find(Name(key, id));
  if (it == uploads_.end()) return false;
  std::swap(it->second.parts[part.facts.number], part);
  return true;
}

bool MultipartUploads::abort(std::string_view key, std::string_view id) {
  decltype(uploads_)::node_type gone;  // ends after the lock
  const std::lock_guard lock(mutex_);
  gone = uploads_.extract(Name(key, id));
  return !gone.empty();
}

std::optional<MultipartUploads::PartPage> MultipartUploads::list_parts(std::string_view key,
                                                                       std::string_view id, unsigned after,
                                                                       std::size_t max_parts) const {
  const std::lock_guard lock(mutex_);
  const auto upload = uploads_.find(Name(key, id));
  if (upload == uploads_.end()) return std::nullopt;
  PartPage page{.upload = upload->second.facts};
  const auto& parts = upload->second.parts;
  for (auto it = parts.upper_bound(after); it != parts.end(); ++it) {
    if (page.parts.size() == max_parts) {
      page.truncated = true;
      break;
    }
    page.parts.push_back(it->second.facts);
  }
  return page;
}

UploadPage MultipartUploads::list(const UploadQuery& query) const {
  UploadPage page;
  const std::lock_guard lock(mutex_);
  auto it = uploads_.lower_bound(Name(query.prefix, ""));
  if (!query.key_marker.empty()) {
    // Without an id every upload of the marked key is behind us.
    const Name marker(query.key_marker, query.id_marker);
    const auto beyond = query.id_marker.empty() ? uploads_.lower_bound(Name(query.key_marker + '\0', ""))
                                                : uploads_.upper_bound(marker);
    if (beyond == uploads_.end() || (it != uploads_.end() && it->first < beyond->first)) it = beyond;
  }
  for (; it != uploads_.end() && it->first.first.starts_with(query.prefix); ++it) {
    const std::string& key = it->first.first;
    const std::size_t cut =
        query.delimiter.empty() ? key.npos : key.find(query.delimiter, query.prefix.size());
    const bool common = cut != key.npos;
    UploadFacts item =
        common ? UploadFacts{.key = key.substr(0, cut + query.delimiter.size())} : it->second.facts;
    if (common &&
        (item.key <= query.key_marker || (!page.items.empty() && page.items.back().key == item.key)))
      continue;
    if (page.items.size() == query.max_uploads) {
      page.truncated = true;
      break;
    }
    page.items.push_back(std::move(item));
  }
  return page;
}

std::size_t MultipartUploads::count() const {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

MultipartUploads::Taken MultipartUploads::take(std::string_view key, std::string_view id,
                                               const std::vector<NamedPart>& named,
                                               const ExpectedObject& expected,
                                               const ContentPool& pool) {
  decltype(uploads_)::node_type taken;  // what is not named ends after the lock
  {
    const std::lock_guard lock(mutex_);
    const auto it = uploads_.find(Name(key, id));
    if (it == uploads_.end()) return {.error = errors::no_such_upload};
    if (const auto problem = check(it->second.parts, named)) return {.error = problem};
    // Bytes are read under the lock here, but only where the client names a checksum of the whole.
    if (const auto problem = check(it->second, named, expected, pool)) return {.error = problem};
    taken = uploads_.extract(it);
  }
  Upload& upload = taken.mapped();
  Taken out{.facts = upload.facts, .checksum = object_checksum(upload.facts, upload.parts, named, pool)};
  for (const NamedPart& n : named) out.parts.push_back(std::move(upload.parts.at(n.number)));
  return out;
}

void MultipartUploads::put_back(Taken taken) {
  Name name{taken.facts.key, taken.facts.id};
  Upload upload{std::move(taken.facts), {}};
  for (Part& part : taken.parts) {
    const unsigned number = part.facts.number;
    upload.parts[number] = std::move(part);
  }
  const std::lock_guard lock(mutex_);
  uploads_.insert_or_assign(std::move(name), std::move(upload));
}

}  // namespace s3lt::server
