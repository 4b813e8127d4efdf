// What ctest tells the tests of the machine: no path is compiled in, so that a build serves every folder.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace test_environment {

/// Errors: std::runtime_error where the variable is not set.
inline std::string variable(const std::string& name) {
  if (const char* value = std::getenv(name.c_str())) return value;
  throw std::runtime_error(name + " is not set: run the test through ctest, which sets it (ctest --preset release -R " +
                           "test_model), or set it yourself");
}

/// The project's folder.
inline std::filesystem::path source_dir() { return variable("POSEMACHINE_SOURCE_DIR"); }

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool is_sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool is_sanitized = false;
#endif

/// Pages of the process in memory, in bytes.
inline double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// How many random cases to try: under sanitizers, which take ten times as long, an eighth.
constexpr int cases(int all) { return is_sanitized ? (all + 7) / 8 : all; }

}  // namespace test_environment
