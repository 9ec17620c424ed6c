// Where the storage is, how to sign, and where things lie on this machine: the environment and one `.env`
// file as one immutable value (docs: README, "Configuration"). Plain values; loading is thread-safe as far
// as its sources are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/credentials.h"
#include "base/error.h"
#include "base/log.h"
#include "config/endpoint.h"

namespace s3lt {

struct Settings {
  std::vector<Endpoint> endpoints;  // at least one, where a storage is needed
  Credentials credentials;
  std::string bucket;
  std::string region = "us-east-1";
  bool verify_tls = false;
  std::filesystem::path ca_bundle;  // empty: the system's
  std::string backend = "boto3";    // how requests look on the wire: a name of the sources' `backends`

  std::filesystem::path data_dir = "./data";
  std::filesystem::path log_dir = "./logs";
  std::filesystem::path workers_file = "./workers";
  std::filesystem::path temp_dir = "/tmp";
  std::filesystem::path key_dir = "/tmp";  // the temp dir unless set
  std::filesystem::path env_dir = ".";
  std::string remote_code_dir, remote_log_dir;  // empty: not set
  std::string s3pool_binary = "s3pool";
  Endpoint proxy{.tls = false, .host = "127.0.0.1", .port = 18080};  // where s3pool listens

  std::optional<LogLevel> log_level;  // nothing: the default of the command
  bool log_json = false;
  std::filesystem::path log_file;  // empty: none

  std::string origin;                 // for people: ".env and the environment"
  std::vector<std::string> warnings;  // for the log, one sentence each, without secrets
};

// What settings are read from. Everything comes in here, so that loading reads no process state.
struct SettingsSources {
  std::map<std::string, std::string> environment;
  std::filesystem::path env_file;           // --env; empty: look in the two directories
  std::filesystem::path working_dir = ".";  // first place of a `.env`
  std::filesystem::path home_dir;           // second: <home>/.s3loadtest/.env; empty: none
  std::vector<std::string> endpoints;       // --endpoint, takes the place of S3_ENDPOINTS
  std::string bucket;                       // --bucket, takes the place of S3_BUCKET
  std::string backend;                      // --backend, takes the place of S3LOADTEST_BACKEND
  std::vector<std::string_view> backends;   // those there are
  bool storage_needed = true;               // else endpoints, credentials and bucket may be missing
};

// The environment, working directory and home of this process; the flags are left empty. Not to be called
// while another thread changes the environment.
SettingsSources process_sources();

// An error names the setting and where it stands (file and line, the environment or the flag), never its
// value where that may be a secret; missing settings are named all at once.
Result<Settings> load_settings(const SettingsSources& sources);

}  // namespace s3lt
