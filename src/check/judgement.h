// What the facts of a check mean: what is wrong with each endpoint, what to know about it, and what to type
// next. Pure, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "check/facts.h"

namespace s3lt {

struct Finding {
  bool wrong = false;  // a run does not do there what it should; else good to know
  std::string text;    // a sentence
};

struct EndpointJudgement {
  bool works = false;  // all that a run with the chosen backend needs
  std::vector<Finding> findings;
};

// The flags of this check that the next command needs too, as they were given.
struct GivenFlags {
  std::string env_file, bucket, prefix, backend;
  std::vector<std::string> endpoints;
};

struct Judgement {
  std::vector<Finding> here;                 // about this machine
  std::vector<EndpointJudgement> endpoints;  // as in the facts
  int exit_status = 0;                       // README, "Exit status"
  std::string sentence;                      // all of it in one
  std::string next;                          // a command
};

Judgement judge(const CheckFacts& facts, const GivenFlags& flags);

// The backend whose requests the storage gets with this one chosen: those of proxy come from an s3pool, and
// are as native ones.
std::string wire_backend(const std::string& backend);

}  // namespace s3lt
