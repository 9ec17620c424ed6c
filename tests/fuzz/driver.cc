// What libFuzzer calls; FUZZ_TARGET is the target that this program is for.
#include "fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  s3lt::fuzz::FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
