// The command line: which command is meant, its flags, its help. Options may stand before, between or after
// the words.
#pragma once

namespace s3lt {

// The exit status of the program.
int run_app(int argc, char** argv);

}  // namespace s3lt
