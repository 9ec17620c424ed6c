// One thread of the server: its loop, its connections, and all that requests on it share without locks.
// All but post() of the loop belongs to the thread.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "net/loop.h"
#include "net/tls.h"
#include "server/answer.h"
#include "server/authentication.h"
#include "server/faults.h"
#include "server/handlers.h"
#include "server/object_store.h"
#include "server/request_record.h"
#include "server/statistics.h"
#include "workload/content.h"

namespace s3lt::server {

class Connection;

// What all threads share.
struct Shared {
  Credentials credentials;
  std::string region;
  ObjectStore store;
  std::shared_ptr<const ContentPool> pool;
  FaultPlan faults;
  std::unique_ptr<TlsServer> tls;                 // null: plain HTTP
  std::unique_ptr<RecordFile> record;             // null: nothing is recorded
  std::vector<std::unique_ptr<Tallies>> tallies;  // of each thread
  ServerStats stats() const;
};

struct Worker {
  Worker(Shared& shared_state, Tallies& own, std::uint64_t seed);
  // Serves an accepted connection to its end; `number` in the order of their acceptance, from 1.
  void serve(int fd, std::uint64_t number);
  // No new requests: idle connections end now, busy ones after their answer, and then the loop.
  void begin_stop();
  // Ends the connections that are still there.
  void cut();

  // How much of a body is read at a time; what is read is used before anybody else runs on this thread.
  static constexpr std::size_t scratch_size = 256 * 1024;

  Loop loop;
  Shared& shared;
  Tallies& tallies;
  AnswerContext context;
  Authenticator authenticator;
  BucketCache buckets;
  ContentGather gather;
  std::vector<char> scratch;
  std::vector<iovec> pieces;
  std::unordered_set<Connection*> connections;
  bool stopping = false;

 private:
  Task<void> run(int fd, std::uint64_t number);
  void stop_if_idle();
};

}  // namespace s3lt::server
