// The connections of one client: one to each endpoint, further ones where it has several requests under way
// (the parts of an upload). Which endpoint comes next, which of its addresses, and what is kept. Belongs to
// its client and thread.
#pragma once

#include <memory>
#include <vector>

#include "engine/idle_connections.h"
#include "engine/load_thread.h"

namespace s3lt {

class ClientConnections {
 public:
  // `index` is the client's number: where it begins in the list of endpoints.
  ClientConnections(LoadThread& thread, const PatternShare& share, std::uint64_t index);

  // Round-robin over the endpoints, past suspect ones unless all are; or always the client's own, where the
  // profile has it so.
  std::size_t next_endpoint();

  // One that carries nothing, open if there is such a one. give_back() it.
  ClientConnection& take(std::size_t endpoint, bool outlives_cut);
  // Keeps it open, unless the client has as many as its profile keeps. What it carried last stays readable.
  void give_back(ClientConnection& connection);

  // Opens one to the endpoint's next address. An error says in `problem` which, and why.
  struct Opened {
    StreamError error{};
    TimePoint begun{}, done{};
    std::string problem;
  };
  Task<Opened> open(ClientConnection& connection);

  // Ends what waits here; but what outlives the cut only where `all` is.
  void cut(bool all);

 private:
  HttpConnection make() const;
  ClientConnection& find(std::size_t endpoint);
  void keep_no_more_than(std::size_t most, ClientConnection& connection);

  LoadThread& thread_;
  const double speed_;  // of a slow client
  const bool one_endpoint_;
  const std::size_t kept_;  // idle ones, of each endpoint
  std::uint64_t next_endpoint_;
  std::vector<ClientConnection> first_;                     // of each endpoint
  std::vector<std::unique_ptr<ClientConnection>> further_;  // of any
  std::vector<std::uint32_t> next_address_;                 // of each endpoint
};

}  // namespace s3lt
