// libFuzzer's entry points for the one harness that a program has.
#include "fuzz/harness.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

// Writes the seeds into the folder that POSEMACHINE_FUZZ_SEEDS names, and ends there.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* const seeds = std::getenv("POSEMACHINE_FUZZ_SEEDS");
  if (seeds == nullptr) return 0;
  int number = 0;
  for (const std::string& seed : fuzz::harnesses().front().seeds()) {
    std::ofstream(std::filesystem::path(seeds) / ("seed" + std::to_string(number++)), std::ios::binary) << seed;
  }
  std::exit(0);
}

// An exception that is no refusal ends the program: libFuzzer reports it with the input.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::accepts(fuzz::harnesses().front(), std::string(data, data + size));
  return 0;
}
