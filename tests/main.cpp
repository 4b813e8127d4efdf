// The main function of every test program.
#define DOCTEST_CONFIG_IMPLEMENT
#include "child_process.hpp"

#include <doctest/doctest.h>

#include <string_view>

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--child") {
    test_environment::child_processes().at(argv[2])();
    return 0;
  }
  return doctest::Context(argc, argv).run();
}
