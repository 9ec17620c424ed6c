// A check for people. Pure, thread-safe.
#pragma once

#include <string>

#include "check/judgement.h"
#include "report/text.h"

namespace s3lt {

// A table of the endpoints where there are several, what each can do (alike ones together), what is wrong,
// and the next command.
std::string check_text(const CheckFacts& facts, const Judgement& judgement, const TextStyle& style);

}  // namespace s3lt
