#include "process/program_file.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

namespace s3lt {
namespace {

namespace fs = std::filesystem;

class ProgramFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "s3loadtest-test-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root = name;
    file = (root / "s3pool").string();
  }
  void TearDown() override { fs::remove_all(root); }
  // What keeps a program with these bytes from running here; empty: nothing.
  std::string problem_of(const std::string& content) const {
    std::ofstream(file) << content;
    fs::permissions(file, fs::perms::owner_all);
    const auto found = find_program(file, {});
    return found ? std::string() : found.error().message;
  }
  fs::path root;
  std::string file;
};

TEST_F(ProgramFileTest, AProgramOfTheOtherClassIsToldByItsClass) {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::string head(1024, '\0');
  self.read(head.data(), 1024);
  EXPECT_EQ(problem_of(head), "");
  const bool wide = head[EI_CLASS] == ELFCLASS64;
  head[EI_CLASS] = wide ? ELFCLASS32 : ELFCLASS64;
  const std::string problem = problem_of(head);
  EXPECT_TRUE(problem.starts_with(file + " is a program for another machine (")) << problem;
  EXPECT_NE(problem.find(wide ? " of 32 bits), not for" : " of 64 bits), not for"), problem.npos) << problem;
  EXPECT_TRUE(problem.ends_with(wide ? " of 64 bits)" : " of 32 bits)")) << problem;

  head[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
  head[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_RISCV);
  EXPECT_NE(problem_of(head).find("(riscv), not for"), std::string::npos);
}

TEST_F(ProgramFileTest, AScriptNeedsItsInterpreter) {
  EXPECT_EQ(problem_of("#!/bin/sh\nexit 0\n"), "");
  EXPECT_EQ(problem_of("#! /usr/bin/env bash -e\n"), "");
  EXPECT_EQ(problem_of("#!/opt/nowhere/python3 -u\nprint()\n"),
            file + " is a script for /opt/nowhere/python3, which does not exist");
  EXPECT_EQ(problem_of("#!/bin/sh\r\nexit 0\r\n"),
            file +
                " is a script for /bin/sh, which does not exist with the carriage return behind it (the file "
                "has the line ends of Windows)");
  EXPECT_EQ(problem_of("#!/proc/self/status\n"),
            file + " is a script for /proc/self/status, which is not executable");
}

}  // namespace
}  // namespace s3lt
