// A check for programs: s3loadtest.check/1 (docs/formats.md). Pure, thread-safe.
#pragma once

#include <string>

#include "check/judgement.h"

namespace s3lt {

std::string check_json(const CheckFacts& facts, const Judgement& judgement);

}  // namespace s3lt
