// Which process listens on a TCP address of this machine. From /proc; processes of other users cannot be
// told. Pure reads, thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace s3lt {

struct ListeningProcess {
  bool any = false;  // something listens there
  pid_t pid = 0;     // 0: of another user
  std::string name;  // its program's, "nginx"; empty where the pid is
};

// `ip` is a literal (127.0.0.1, ::1). A socket that listens on every address of the port counts, too.
ListeningProcess listening_process(const std::string& ip, std::uint16_t port);

// "process 4711 (nginx)", "a process of another user".
std::string who(const ListeningProcess& process);

}  // namespace s3lt
