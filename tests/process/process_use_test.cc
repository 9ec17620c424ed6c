#include "process/process_use.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/clock.h"
#include "process/listening_process.h"
#include "process/packet_socket.h"
#include "process/program_file.h"

namespace s3lt {
namespace {

namespace fs = std::filesystem;

TEST(ProcessUse, IsOfThisProcess) {
  const auto before = use_of_process(::getpid());
  ASSERT_TRUE(before);
  EXPECT_GT(before->start_ticks, 0U);
  EXPECT_GT(before->rss_bytes, 1U << 20);
  EXPECT_GE(before->peak_rss_bytes, before->rss_bytes / 2);
  const TimePoint until = now() + std::chrono::seconds(5);
  while (now() < until && use_of_process(::getpid())->cpu_seconds < before->cpu_seconds + 0.05) {
  }
  EXPECT_GE(use_of_process(::getpid())->cpu_seconds, before->cpu_seconds + 0.05);
}

TEST(ProcessUse, IsNothingOfAProcessThatEnded) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(use_of_process(child)) << "a zombie uses nothing";
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(use_of_process(child));
}

TEST(ProcessUse, SaysThatAProcessIsStopped) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  EXPECT_FALSE(use_of_process(child)->stopped);
  siginfo_t news{};
  ::kill(child, SIGSTOP);
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &news, WSTOPPED | WNOWAIT), 0);
  EXPECT_TRUE(use_of_process(child)->stopped);
  ::kill(child, SIGCONT);
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &news, WCONTINUED), 0);
  EXPECT_FALSE(use_of_process(child)->stopped);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(ListeningProcess, IsFoundByItsAddress) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::uint16_t port = ntohs(address.sin_port);
  EXPECT_FALSE(listening_process("127.0.0.1", port).any) << "bound, but it does not listen";
  ASSERT_EQ(::listen(fd, 1), 0);
  const ListeningProcess found = listening_process("127.0.0.1", port);
  EXPECT_TRUE(found.any);
  EXPECT_EQ(found.pid, ::getpid());
  EXPECT_FALSE(found.name.empty());
  EXPECT_FALSE(listening_process("127.0.0.2", port).any);
  ::close(fd);
  EXPECT_FALSE(listening_process("127.0.0.1", port).any);
}

class ProgramFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "s3loadtest-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }
  std::string make(const char* name, const std::string& content, mode_t mode) const {
    const fs::path file = root / name;
    std::ofstream(file) << content;
    ::chmod(file.c_str(), mode);
    return file.string();
  }
  static std::string wrong(const std::string& name, const std::string& path = {}) {
    const auto found = find_program(name, path);
    return found ? "found " + found->string() : found.error().message;
  }
  fs::path root;
};

TEST_F(ProgramFile, IsFoundInPath) {
  const std::string file = make("tool", "#!/bin/sh\n", 0755);
  EXPECT_EQ(wrong("tool", "/nowhere:" + root.string()), "found " + file);
  EXPECT_EQ(wrong(file), "found " + file);
  EXPECT_EQ(wrong("tool", "/nowhere"), "there is no tool in PATH");
}

TEST_F(ProgramFile, SaysWhatIsWrongWithIt) {
  EXPECT_EQ(wrong((root / "no").string()), "there is no " + (root / "no").string());
  EXPECT_EQ(wrong(root.string()), root.string() + " is a directory");
  if (::geteuid() == 0) {
    const std::string plain = make("plain", "#!/bin/sh\n", 0644);
    EXPECT_EQ(wrong(plain), plain + " is not executable");
  }
  const std::string text = make("text", "no program\n", 0755);
  EXPECT_EQ(wrong(text), text + " is no program of Linux");
}

TEST_F(ProgramFile, OfAnotherMachineIsNone) {
  std::string head(64, '\0');
  std::ifstream self("/proc/self/exe", std::ios::binary);
  self.read(head.data(), 64);
  const char other = head[18] == 62 ? static_cast<char>(183) : 62;  // e_machine: EM_AARCH64, EM_X86_64
  head[18] = other;
  head[19] = 0;
  const std::string file = make("foreign", head, 0755);
  EXPECT_EQ(wrong(file).find(file + " is a program for another machine ("), 0U) << wrong(file);
}

TEST(PacketSocket, KeepsPacketsApartAndNoticesTheEnd) {
  const std::string name = "s3loadtest-test-" + std::to_string(::getpid());
  EXPECT_FALSE(PacketSocket::connect(name));
  PacketSocket listener = PacketSocket::listen(name);
  ASSERT_TRUE(listener);
  EXPECT_FALSE(PacketSocket::listen(name)) << "the name is taken";
  PacketSocket client = PacketSocket::connect(name), server = listener.accept();
  ASSERT_TRUE(client && server);
  EXPECT_FALSE(listener.accept());
  Packet packet;
  EXPECT_EQ(server.receive(packet), PacketSocket::Got::nothing);
  EXPECT_TRUE(client.send({"use", "", "three words here"}));
  EXPECT_TRUE(client.send({"second"}));
  ASSERT_EQ(server.receive(packet, now() + std::chrono::seconds(5)), PacketSocket::Got::packet);
  EXPECT_EQ(packet, (Packet{"use", "", "three words here"}));
  ASSERT_EQ(server.receive(packet), PacketSocket::Got::packet);
  EXPECT_EQ(packet, Packet{"second"});
  client.end_sending();
  EXPECT_EQ(server.receive(packet, now() + std::chrono::seconds(5)), PacketSocket::Got::closed);
  EXPECT_TRUE(server.send({"what is left to say"}));
  EXPECT_EQ(client.receive(packet, now() + std::chrono::seconds(5)), PacketSocket::Got::packet);
}

}  // namespace
}  // namespace s3lt
