// Errors as values: what went wrong, in one sentence for the user, and what it means for the
// exit status (README, "Exit status").
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace s3lt {

enum class ErrorKind {
  usage,        // bad flags, settings or input: exit status 2
  unavailable,  // nothing could be done: storage unreachable, access denied, no bucket: exit status 3
};

struct Error {
  ErrorKind kind = ErrorKind::usage;
  std::string message;  // names the culprit and the remedy; never a secret
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> usage_error(std::string message) {
  return std::unexpected(Error{ErrorKind::usage, std::move(message)});
}
inline std::unexpected<Error> unavailable(std::string message) {
  return std::unexpected(Error{ErrorKind::unavailable, std::move(message)});
}

}  // namespace s3lt
