// What ctest tells the tests of the machine: no path is compiled in, so that a build serves every folder.
#pragma once

#include <cstdlib>
#include <filesystem>
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

}  // namespace test_environment
