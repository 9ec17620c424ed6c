// The connections of one thread's clients that carry no request at this moment, the longest idle first, and
// how many the thread may have open, idle or not. Belongs to one thread; everything is O(1).
#pragma once

#include <cstdint>

#include "net/http_connection.h"

namespace s3lt {

// A connection of a client, with its place among the idle ones.
struct ClientConnection {
  ClientConnection(Loop& loop, std::size_t e) : http(loop), endpoint(e) {}
  HttpConnection http;
  std::size_t endpoint;
  std::size_t address = 0;  // of the endpoint's: that which it has, or the one to prefer for the next
  bool busy = false;
  bool outlives_cut = false;  // what it carries now does
  bool was_cut = false;       // its next request needs a new one
  bool counted = false;       // among the open ones
  ClientConnection* before = nullptr;
  ClientConnection* after = nullptr;  // idle for shorter
};

class IdleConnections {
 public:
  // No limit until this is called, and then nothing is kept in order either.
  void limit(std::uint64_t most) { most_ = most; }
  bool limited() const { return most_ != 0; }

  // A connection is about to be opened: closes the longest idle one where there would be too many. True: it
  // did.
  bool make_room(ClientConnection& c) {
    if (c.counted) return false;
    c.counted = true;
    if (++open_ <= most_ || first_ == nullptr) return false;
    ClientConnection& longest = *first_;
    remove(longest);
    longest.http.close();
    forget(longest);
    return true;
  }
  void add(ClientConnection& c) {
    if (!c.http.is_open()) return forget(c);
    c.before = last_;
    (last_ != nullptr ? last_->after : first_) = &c;
    last_ = &c;
  }
  void remove(ClientConnection& c) {
    if (c.before == nullptr && first_ != &c) return;  // not among them
    (c.before != nullptr ? c.before->after : first_) = c.after;
    (c.after != nullptr ? c.after->before : last_) = c.before;
    c.before = c.after = nullptr;
  }
  std::uint64_t open() const { return open_; }

 private:
  void forget(ClientConnection& c) {
    if (c.counted) --open_;
    c.counted = false;
  }
  std::uint64_t most_ = 0, open_ = 0;
  ClientConnection* first_ = nullptr;
  ClientConnection* last_ = nullptr;
};

}  // namespace s3lt
