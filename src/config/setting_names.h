// The names of all settings, and which other names look like one of them misspelt. Pure, thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace s3lt {

std::span<const std::string_view> setting_names();

bool is_setting_name(std::string_view name);

// The setting that `name` probably means; empty where it is one, or where it looks like none.
std::string_view misspelt_setting(std::string_view name);

}  // namespace s3lt
