// A part of a test that runs in a process of its own, which may be killed: `PROGRAM --child NAME` runs it and nothing else.
#pragma once

#include <map>
#include <string>

namespace test_environment {

/// The parts of this program by their names.
inline std::map<std::string, void (*)()>& child_processes() {
  static std::map<std::string, void (*)()> processes;
  return processes;
}

/// Makes a function a part, for objects of namespace scope.
struct ChildProcess {
  ChildProcess(const char* name, void (*run)()) { child_processes()[name] = run; }
};

}  // namespace test_environment
