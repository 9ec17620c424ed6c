// A check of one good endpoint, to be made worse by tests.
#pragma once

#include "check/judgement.h"

namespace s3lt {

inline Trial works() {
  return {.end = Trial::End::works, .said = {}};
}
inline Trial fails(std::string said) {
  return {.end = Trial::End::fails, .said = std::move(said)};
}

inline BackendFact good_backend(const std::string& name) {
  BackendFact backend{.name = name, .operations = {}};
  for (const char* operation : {"PUT", "HEAD", "GET", "LIST", "DELETE", "DELETE-BATCH"})
    backend.operations.push_back({operation, works()});
  return backend;
}

inline EndpointFacts good_endpoint(const std::string& url = "http://10.0.0.1:9000") {
  EndpointFacts facts{.url = url};
  facts.addresses = {{.address = "10.0.0.1:9000", .connect_us = 150, .problem = {}}};
  facts.server = "MinIO";
  facts.looks_like = "MinIO";
  facts.clock_ahead = 0.1;
  facts.clock_error = 0.5;
  facts.signature_verified = facts.region_enforced = true;
  facts.bucket.exists = true;
  facts.bucket.versioning = "";
  facts.bucket.object_lock = false;
  for (const char* name : {"boto3", "minio", "native"}) facts.backends.push_back(good_backend(name));
  facts.payloads = {{"signed", works(), true}, {"unsigned", works(), std::nullopt}};
  facts.checksums = {{"content-md5", works(), true}, {"crc32", works(), true}, {"crc64nvme", works(), false}};
  facts.range = facts.expect_continue = works();
  facts.keeps_connections = true;
  facts.multipart = {{"create", works()}, {"part", works()}, {"complete", works()}, {"abort", works()}};
  facts.left.looked = true;
  return facts;
}

inline CheckFacts good_check() {
  return {.version = "1.2.3",
          .bucket = "loadtest",
          .prefix = "loadtest/",
          .region = "us-east-1",
          .backend = "boto3",
          .endpoints = {good_endpoint()}};
}

}  // namespace s3lt
