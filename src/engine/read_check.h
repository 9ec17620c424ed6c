// Holds the body of a GET against the object that was written, and says what an answer that is not that
// object means. Belongs to one attempt.
#pragma once

#include <optional>
#include <string>

#include "http/response_reader.h"
#include "measure/snapshot.h"
#include "workload/content_check.h"

namespace s3lt {

class ReadCheck final : public http::BodySink {
 public:
  ReadCheck(const ContentPool& pool, const ObjectContent& content, ContentCheck::Depth depth)
      : check_(pool, content, depth) {}
  std::uint64_t wanted() const override { return check_.wanted(); }
  std::uint64_t skippable() const override { return check_.skippable(); }
  void take(std::span<const std::byte> bytes) override { check_.take(bytes); }
  void skip(std::uint64_t bytes) override { check_.skip(bytes); }
  std::optional<Mismatch> finish() const { return check_.finish(); }
  bool unverifiable() const { return check_.unverifiable(); }

 private:
  ContentCheck check_;
};

struct WrongObject {
  Outcome outcome{};  // corrupt or truncated
  std::string problem;
  std::optional<OperationSample::Wrong> wrong;  // where it was checked
};
// What is wrong with an answer that came whole and has so many bytes; nothing where it is the object. Without
// a check only the length is judged.
std::optional<WrongObject> judge_object(const ObjectContent& content, std::uint64_t bytes,
                                        const ReadCheck* check);

}  // namespace s3lt
