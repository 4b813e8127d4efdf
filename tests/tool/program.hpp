// The built program that tests of the tool run, what it answers, and the files that it leaves.
#pragma once

#include "environment.hpp"

#include <posemachine/base/json.hpp>

#include <sys/wait.h>

#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tool_test {

/// Where the program is.
inline std::string program() { return test_environment::variable("POSEMACHINE_TOOL"); }

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What a run of the program answers.
struct Outcome {
  int code = -1;  // 128 and the signal's number where one ended it
  std::string out;
  std::string err;
};

/// The program's command line; its streams go into files of the folder.
inline std::string command_line(const std::string& arguments, const std::filesystem::path& folder) {
  return "'" + program() + "' " + arguments + " >'" + (folder / "stdout").string() + "' 2>'" +
         (folder / "stderr").string() + "'";
}

/// The answer of a command line of this folder that ended with this status, as waitpid() has it.
inline Outcome outcome_of(int status, const std::filesystem::path& folder) {
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text_of(folder / "stdout"),
          text_of(folder / "stderr")};
}

/// Arguments as a shell reads them; redirections may be added.
inline Outcome run_program(const std::string& arguments, const std::filesystem::path& folder) {
  return outcome_of(std::system(command_line(arguments, folder).c_str()), folder);
}

/// The program ends with this status, says so on stderr and nothing on stdout.
inline void check_refused(const std::string& arguments, const std::filesystem::path& folder, int code,
                          const std::string& message) {
  const Outcome outcome = run_program(arguments, folder);
  INFO(arguments << ": " << outcome.err);
  CHECK(outcome.code == code);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.find(message) != std::string::npos);
}

/// The one line of JSON that the program writes.
inline posemachine::Json json_of(const Outcome& outcome) {
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.out.find('\n') == outcome.out.size() - 1);
  return posemachine::parse_json(outcome.out, "stdout");
}

}  // namespace tool_test
