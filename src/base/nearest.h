// The valid name that a misspelt one probably means, for error messages. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace s3lt {

// Letters to insert, drop, change or swap with their neighbour to get from one text to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate with the least distance, whatever the case of its letters; empty where there is no candidate.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

// The end of a message about an unknown name: `did you mean "run"?` where one is near, else
// `use one of run, serve, patterns`.
std::string suggest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace s3lt
