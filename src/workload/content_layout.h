// Where in an object its stamps, the pool's bytes and zeros stand (docs/content.md). Pure; a few nanoseconds.
#pragma once

#include <algorithm>
#include <cstdint>

#include "workload/content.h"

namespace s3lt {

// Bytes [begin, end) of an object that come from one source: with the pool's, those at the same offsets.
struct Segment {
  enum class Source : std::uint8_t { pool, zeros, stamp };
  Source source;
  std::uint64_t begin, end;
  std::uint64_t number = 0;  // of the stamp
};

// The one that holds `offset`, which is below the object's size.
Segment segment_at(const ObjectContent& content, std::uint64_t offset);

// Whether a block of an object in `dedupe` is that of all of them. Never the first one, which has the stamp
// that tells the object.
bool is_common_block(const ObjectContent& content, std::uint64_t block);

// Where the stamp begins by which the object is known: at the end of its first block, in `shared` at its own.
std::uint64_t first_stamp_begin(const ObjectContent& content);

// What is judged as one when something in it is wrong: the block of `offset`; in `shared` the stamp, and
// blocks without it.
struct Unit {
  std::uint64_t begin, end;
  std::uint64_t stamp_begin;  // the last bytes that would be a stamp, were there one
  std::uint64_t number;       // of its stamp; `shared` has only one, 0
};
Unit unit_at(const ObjectContent& content, std::uint64_t offset);

}  // namespace s3lt
