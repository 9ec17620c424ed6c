#include "engine/read_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace s3lt {

std::optional<WrongObject> judge_object(const ObjectContent& content, std::uint64_t bytes,
                                        const ReadCheck* check) {
  std::optional<Mismatch> mismatch;
  if (check != nullptr) mismatch = check->finish();
  const bool right_length = bytes == content.size;
  if (right_length && !mismatch) return std::nullopt;
  // A stamp that says which object it is says more than the length.
  if (mismatch && (right_length || mismatch->stamp)) {
    return WrongObject{.outcome = Outcome::corrupt,
                       .problem = mismatch->text(content),
                       .wrong = OperationSample::Wrong{.kind = mismatch->kind,
                                                       .offset = mismatch->offset,
                                                       .expected = std::move(mismatch->expected),
                                                       .found = std::move(mismatch->found)}};
  }
  WrongObject wrong{.outcome = bytes < content.size ? Outcome::truncated : Outcome::corrupt,
                    .problem = fmt::format("{} bytes where the object has {}", bytes, content.size),
                    .wrong = {}};
  if (check != nullptr) {
    wrong.wrong = {
        .kind = Corruption::length, .offset = std::min(bytes, content.size), .expected = {}, .found = {}};
  }
  return wrong;
}

}  // namespace s3lt
