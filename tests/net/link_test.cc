#include "net/link.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace s3lt {
namespace {

namespace fs = std::filesystem;

// A /sys/class/net of the test's own.
class Interfaces : public testing::Test {
 protected:
  Interfaces() : root(fs::temp_directory_path() / ("link-test-" + std::to_string(::getpid()))) {}
  ~Interfaces() override { fs::remove_all(root); }
  void make(const std::string& name, const std::string& speed, const char* kind) {
    fs::create_directories(root / name / "statistics");
    if (kind != nullptr) fs::create_directories(root / name / kind);
    write(name, "ifindex", "2");
    write(name, "speed", speed);
    carried(name, 0, 0);
  }
  void carried(const std::string& name, std::uint64_t received, std::uint64_t sent) {
    write(name, "statistics/rx_bytes", std::to_string(received));
    write(name, "statistics/tx_bytes", std::to_string(sent));
  }
  void write(const std::string& name, const std::string& file, const std::string& text) {
    std::ofstream(root / name / file) << text << "\n";
  }
  const fs::path root;
};

TEST_F(Interfaces, AnInterfaceThatIsADeviceSaysItsSpeedAndWhatItCarried) {
  make("eth0", "10000", "device");
  const auto link = Link::open("eth0", root);
  ASSERT_TRUE(link);
  EXPECT_DOUBLE_EQ(link->bytes_per_second(), 1.25e9);
  carried("eth0", 123'456'789'012, 17);
  ASSERT_TRUE(link->read());
  EXPECT_EQ(link->read()->received, 123'456'789'012U);
  EXPECT_EQ(link->read()->sent, 17U);
}

TEST_F(Interfaces, ABondIsAsGoodAsADevice) {
  make("bond0", "50000", "bonding");
  EXPECT_TRUE(Link::open("bond0", root));
}

TEST_F(Interfaces, OneWithoutADeviceOrASpeedSaysNothing) {
  make("veth1", "10000", nullptr);  // what a veth claims, whatever it can
  make("eth1", "-1", "device");
  make("eth2", "", "device");
  EXPECT_FALSE(Link::open("veth1", root));
  EXPECT_FALSE(Link::open("eth1", root));
  EXPECT_FALSE(Link::open("eth2", root));
  EXPECT_FALSE(Link::open("eth3", root));
  EXPECT_FALSE(Link::open("", root));
}

TEST(InterfaceTo, ThisMachineItselfIsReachedByItsLoopback) {
  const std::string name = interface_to(resolve("127.0.0.1", 80).value().front());
  EXPECT_EQ(name, "lo");
  EXPECT_FALSE(Link::open(name)) << "it has no speed";
}

}  // namespace
}  // namespace s3lt
