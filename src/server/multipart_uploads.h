// The unfinished multipart uploads of a bucket and their parts. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/errors.h"
#include "server/object.h"

namespace s3lt::server {

inline constexpr unsigned max_part_number = 10000;

// What is known of a part without its bytes.
struct PartFacts {
  unsigned number = 0;
  Md5 md5{};
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // unix seconds
  Checksum checksum;
};
// The bytes from `offset` on of an object that is what its key says.
struct PartContent {
  ObjectContent content;
  std::uint64_t offset = 0;
};
struct Part {
  PartFacts facts;
  PartContent content;               // where recognised
  std::unique_ptr<KeptBytes> bytes;  // null: recognised
};
std::string etag(const PartFacts& part);  // with its quotes

// What is known of an upload without its parts.
struct UploadFacts {
  std::string key, id;
  std::int64_t initiated = 0;  // unix seconds
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::none;
  bool composite = false;  // how the object's checksum follows from the parts
  std::shared_ptr<const Attributes> attributes;
};
struct Upload {
  UploadFacts facts;
  std::map<unsigned, Part> parts;
};

// A part as the request to complete an upload names it.
struct NamedPart {
  unsigned number = 0;
  std::string etag;      // with or without quotes
  std::string checksum;  // in base64; empty: not said
};

// What the request to complete an upload says about the object that it shall become.
struct ExpectedObject {
  ChecksumAlgorithm algorithm = ChecksumAlgorithm::none;
  std::string checksum;  // as x-amz-checksum- headers have it
  std::optional<std::uint64_t> size;
};

struct UploadQuery {
  std::string prefix, delimiter, key_marker, id_marker;
  std::size_t max_uploads = 1000;
};
struct UploadPage {
  // An item without an id is a common prefix, which stands in `key`.
  std::vector<UploadFacts> items;
  bool truncated = false;
};

class MultipartUploads {
 public:
  // Gives it an id, which is unique in this process and grows with time.
  std::string create(UploadFacts facts);
  std::optional<UploadFacts> find(std::string_view key, std::string_view id) const;
  bool put_part(std::string_view key, std::string_view id, Part part);  // false: no such upload
  bool abort(std::string_view key, std::string_view id);                // false: no such upload

  // Parts above `after`, in order; nothing: no such upload.
  struct PartPage {
    UploadFacts upload;
    std::vector<PartFacts> parts;
    bool truncated = false;
  };
  std::optional<PartPage> list_parts(std::string_view key, std::string_view id, unsigned after,
                                     std::size_t max_parts) const;
  UploadPage list(const UploadQuery& query) const;
  std::size_t count() const;

  // Takes an upload out to be made an object: its parts as named, all others gone. An error leaves it as it
  // was.
  struct Taken {
    UploadFacts facts;
    std::vector<Part> parts;
    Checksum checksum;  // of the object
    std::optional<S3Error> error;
  };
  Taken take(std::string_view key, std::string_view id, const std::vector<NamedPart>& named,
             const ExpectedObject& expected, const ContentPool& pool);
  // Back to the parts that were taken out.
  void put_back(Taken taken);

 private:
  using Name = std::pair<std::string, std::string>;  // key and id
  mutable std::mutex mutex_;
  std::map<Name, Upload> uploads_;
};

}  // namespace s3lt::server
