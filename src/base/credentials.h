// What signs a request. Secrets: never printed, logged or put into an error.
#pragma once

#include <string>

namespace s3lt {

struct Credentials {
  std::string access_key, secret_key;
  std::string session_token;  // empty: none
};

}  // namespace s3lt
