// Is it us? Whether what a run measured is the storage's doing or this client's, judged from measurements
// alone. docs/measurement.md, "Is it us?", has the rules and their reasons. Pure, thread-safe.
#pragma once

#include <string>

#include "measure/snapshot.h"

namespace s3lt {

struct Verdict {
  std::string bottleneck = "unknown";  // storage | client-cpu | client-network | unknown
  std::string why;                     // one sentence without its end; never empty
  bool away = false;                   // unknown since no endpoint answered for much of the load
};

// `total` is everything of one run, of any number of threads and hosts.
Verdict judge(const Snapshot& total);

// Whether all of it was an open loop in which the operations began when they were meant to: every start was
// sent, and hardly one was late for longer than an operation takes.
bool kept_up(const Snapshot& total);

// How long no endpoint answered while operations failed for that: refused, reset or hanging connections. In
// seconds, 0 below one; with the outcomes of these operations, as in "connect 12, reset 3".
struct Absence {
  double seconds = 0;
  std::string outcomes;
};
Absence absence(const Snapshot& total);
// Whether so long an absence made the figures: below a second it is a hiccup.
bool made_the_figures(double seconds, Duration length);

// What the verdict rests on, and the files of a run show. Shares are 0 to 1.
struct ClientFigures {
  double busy = 0;  // of the busiest thread: of its loaded time, on a CPU, waiting for one, or robbed of it
  double run_queue_wait = 0;  // of that, waiting for a CPU
  double saturated = 0;       // part of that thread's load that met it saturated
  double steal = 0;           // of the CPU time that the machine asked for
  double waiting = 0;         // of the clients, with a request under way that waited for storage or network
  double sending = 0;         // of those, with a body to send that the socket did not take yet
  double congested = 0;       // of the sending ones, held back by the network
  double window_limited = 0;  // of the time with data on its way out: the storage did not read
  double buffer_limited = 0;  // of that time: our own send buffer was full
  double retransmitted = 0;   // of the segments sent
  double out_of_order = 0;    // of the segments received
  std::int64_t rtt_us = 0;    // the least round trip of any connection
  double transfer = 0;        // of the service time, in which bodies moved
};
ClientFigures client_figures(const Snapshot& total);

}  // namespace s3lt
