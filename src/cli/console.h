// What commands say outside of the log: the one sentence of an error on stderr, results on stdout.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "report/text.h"

namespace s3lt {

// Prints "s3loadtest: <sentence>" to stderr; the exit status that the error means. Control characters (a
// server's words may stand in the sentence) are shown, not sent to the terminal.
int fail(const Error& error);
// The same for wrong usage: 2.
int fail_usage(const std::string& sentence);

// Writes all of it to stdout. The error says why not; a reader that went away (a pipe to head) is none.
Result<void> print(std::string_view text);
// For commands that do nothing else: the exit status.
int print_and_end(std::string_view text);
// As wide as the terminal, and with colour where it is one.
TextStyle style_of_stdout();

}  // namespace s3lt
