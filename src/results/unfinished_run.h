// What is left of a run that did not end: killed, or its machine lost power. Reads its run directory.
// Stateless.
#pragma once

#include <filesystem>
#include <string>

namespace s3lt {

// One sentence for whoever starts the next run: which directory, how far it came, which objects it left.
// `holder` says who it was ("process 4711, since 2026-02-04T12:00:00Z"), `what` where its objects are
// ("loadtest/0/ in bucket b").
std::string describe_unfinished_run(const std::filesystem::path& run_directory, const std::string& holder,
                                    const std::string& what);

}  // namespace s3lt
