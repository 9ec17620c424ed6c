// The data files: the beginning of the content stream (workload/content_pool.h) under names that tell its
// length, the same on every machine. Functions are thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace s3lt {

// What `init-data` writes where nothing else was asked for.
inline constexpr std::array<std::uint64_t, 6> default_data_sizes = {1 << 10, 10 << 10, 100 << 10,
                                                                    1 << 20, 10 << 20, 100 << 20};

// data-1kb-54fc67b7.bin: the size, and the first 8 digits of md5("loadtest-data-<bytes>").
std::string data_file_name(std::uint64_t bytes);

// Whether the file's bytes [offset, offset + length) are the stream's. Reads them, so that a disk that fails
// is an answer and no signal. `scratch` is room to work in: not empty, a multiple of 8 bytes.
bool holds_stream(int fd, std::uint64_t offset, std::uint64_t length, std::span<std::byte> scratch);

}  // namespace s3lt
