// One connection: reads requests, has them authenticated and handled, and writes the answers, one after the
// other, in one coroutine. Belongs to its worker's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream.h"
#include "server/delivery.h"
#include "server/worker.h"

namespace s3lt::server {

class Connection {
 public:
  Connection(Worker& worker, int fd, std::uint64_t number);

  Task<void> run();
  // The server ends: an idle connection ends now, a busy one after its answer.
  void finish();
  // Ends it wherever it is.
  void cancel();

  // Without one byte moved; between requests a connection may be idle for ever.
  static constexpr Duration idle_deadline = std::chrono::seconds(300);

 private:
  enum class Progress { done, blocked, failed };

  // Reading.
  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void make_room();
  void consume();
  Task<bool> fill();
  Task<bool> receive_body();
  Task<bool> drain_body();
  void peek_for_body();

  // From a request to an answer; neither reads nor writes.
  bool admit();
  void respond();
  void introspect();
  void refuse_head(std::string_view problem);
  void feed(std::string_view bytes, std::size_t& taken);

  // Faults (connection_faults.cc), at the four points where they act. The first and the last say whether the
  // connection goes on.
  Task<bool> fault_before_handling();
  void fault_instead_of_handling();
  void fault_in_answer();
  Task<bool> deliver_with_fault();
  Task<bool> fault_after_answer();

  Exchange exchange();
  bool plan_delivery();
  bool show_former();
  bool swap_body();
  std::size_t spoiled_bytes(const Delivery& plan, std::uint64_t offset, std::uint64_t length);
  Task<bool> nap(TimePoint until);
  Task<bool> keep_silent();
  Task<void> reset_behind_sent();

  // Writing.
  void end_answer();
  std::span<const iovec> next_pieces();
  Progress begin_answer();
  Progress push();
  Task<bool> push_all();
  Task<bool> send_continue();
  Task<void> linger();
  void count(int change);

  Worker& worker_;
  Stream stream_;
  std::vector<char> buffer_;
  std::optional<ConnectionRecord> record_;
  std::size_t begin_ = 0, end_ = 0;
  std::string overread_;  // bytes of the next request that came with a chunked body
  bool idle_ = true;

  Request request_;
  std::size_t taken_ = 0;  // bytes of the buffer that belong to this request
  std::optional<BodyDecoder> body_;
  std::unique_ptr<BodyHandler> handler_;
  bool expects_continue_ = false, body_coming_ = false;
  Fault fault_;
  std::unique_ptr<Delivery> delivery_;  // null: the answer goes out as it is
  std::unique_ptr<Timer> delay_;
  bool cancelled_ = false;

  Answer answer_;
  std::uint64_t sent_ = 0;
  unsigned blocked_ = 0;
};

}  // namespace s3lt::server
