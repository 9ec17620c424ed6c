// The fuzz targets over the committed corpus: seeds, and everything that fuzzing once found.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/target.h"

namespace s3lt::fuzz {
namespace {

TEST(FuzzCorpus, HoldsEveryPropertyOfEveryTarget) {
  for (const Target& target : targets) {
    int files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(FUZZ_CORPUS "/") + std::string(target.name))) {
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream bytes;
      bytes << file.rdbuf();
      EXPECT_NO_THROW(target.run(bytes.str())) << entry.path();
      ++files;
    }
    EXPECT_GT(files, 0) << target.name << " has no corpus";
  }
}

}  // namespace
}  // namespace s3lt::fuzz
