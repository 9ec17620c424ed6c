// The connections of one client: one to each endpoint, further ones where it has several requests under way
// (the parts of an upload). Which endpoint comes next, which of its addresses, and what is kept. Belongs to
// its client and thread.
#pragma once

#include <memory>
#include <vector>

#include "engine/attempt.h"
#include "engine/idle_connections.h"
#include "engine/load_thread.h"

namespace s3lt {

class ClientConnections {
 public:
  // `index` is the client's number: which addresses it prefers, and which endpoint where it has but one.
  ClientConnections(LoadThread& thread, PatternShare& share, std::uint64_t index);

  // Round-robin over the endpoints, past those that take none; or always the client's own, where the profile
  // has it so. False where none takes one: any_endpoint() is then as good.
  bool next_endpoint(std::size_t& endpoint);
  std::size_t any_endpoint();
  // The same for the first time, where other clients may just be meeting the endpoints.
  Task<void> await_endpoint(std::size_t& endpoint, Timer& timer);

  // One that carries nothing, open if there is such a one. give_back() it.
  ClientConnection& take(std::size_t endpoint, bool outlives_cut);
  // Keeps it open, unless the client has as many as its profile keeps. What it carried last stays readable.
  void give_back(ClientConnection& connection);

  // Opens one to the address that it prefers, or to the next that takes a connection. An error says in
  // `problem` which, and why.
  struct Opened {
    StreamError error{};
    TimePoint begun{}, done{};
    std::string problem;
  };
  Task<Opened> open(ClientConnection& connection);
  // A request goes out on an open one, and how that ended: what it says of the address.
  void begins(const ClientConnection& connection);
  void ended(const ClientConnection& connection, const Attempt& attempt);
  // The same where it says nothing.
  void withdrew(const ClientConnection& connection);

  // Ends what waits here; but what outlives the cut only where `all` is.
  void cut(bool all);

 private:
  HttpConnection make() const;
  ClientConnection& find(std::size_t endpoint);
  void keep_no_more_than(std::size_t most, ClientConnection& connection);

  LoadThread& thread_;
  PatternShare& share_;
  const double speed_;  // of a slow client
  const bool one_endpoint_;
  const std::size_t kept_;  // idle ones, of each endpoint
  const std::uint64_t index_;
  std::vector<ClientConnection> first_;                     // of each endpoint
  std::vector<std::unique_ptr<ClientConnection>> further_;  // of any
};

}  // namespace s3lt
