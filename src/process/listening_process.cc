#include "process/listening_process.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <sstream>

namespace s3lt {
namespace fs = std::filesystem;
namespace {

// An address as /proc/net/tcp* writes it: each 32 bit word in the machine's byte order.
std::string kernel_text(std::span<const std::uint32_t> words) {
  std::string text;
  for (const std::uint32_t word : words) text += fmt::format("{:08X}", word);
  return text;
}

// The addresses whose listeners take a connection to `ip`.
std::set<std::string> taking(const std::string& ip) {
  std::array<std::uint32_t, 4> words{};
  std::set<std::string> texts{kernel_text(words)};  // [::] takes both kinds
  if (::inet_pton(AF_INET, ip.c_str(), words.data()) == 1) {
    texts.insert(kernel_text(std::span(words).first(1)));
    const std::array<std::uint32_t, 4> mapped{0, 0, htonl(0xffff), words[0]};
    texts.insert(kernel_text(mapped));
    texts.insert("00000000");
  } else if (::inet_pton(AF_INET6, ip.c_str(), words.data()) == 1) {
    texts.insert(kernel_text(words));
  }
  return texts;
}

// The inodes of the sockets that listen; 0A is TCP_LISTEN.
std::set<std::string> listening_inodes(const std::string& ip, std::uint16_t port) {
  const std::set<std::string> addresses = taking(ip);
  std::set<std::string> inodes;
  for (const char* table : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // the titles
    while (std::getline(file, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, skipped, inode;
      fields >> number >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) fields >> skipped;
      fields >> inode;
      const std::size_t colon = local.find(':');
      if (state != "0A" || colon == local.npos || local.substr(colon + 1) != fmt::format("{:04X}", port))
        continue;
      if (addresses.contains(local.substr(0, colon))) inodes.insert("socket:[" + inode + "]");
    }
  }
  return inodes;
}

bool has_one_of(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code error;
  for (fs::directory_iterator fd(process / "fd", error), end; !error && fd != end; fd.increment(error)) {
    std::error_code gone;
    if (sockets.contains(fs::read_symlink(fd->path(), gone).string())) return true;
  }
  return false;
}

}  // namespace

ListeningProcess listening_process(const std::string& ip, std::uint16_t port) {
  const std::set<std::string> sockets = listening_inodes(ip, port);
  if (sockets.empty()) return {};
  ListeningProcess found{.any = true, .pid = 0, .name = {}};
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size())
      continue;
    if (!has_one_of(entry->path(), sockets)) continue;
    found.pid = pid;
    std::ifstream file(entry->path() / "comm");
    std::getline(file, found.name);
    break;
  }
  return found;
}

std::string who(const ListeningProcess& process) {
  return process.pid > 0 ? fmt::format("process {} ({})", process.pid, process.name)
                         : std::string("a process of another user");
}

}  // namespace s3lt
