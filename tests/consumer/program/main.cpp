// The whole library in one translation unit of two.
#include <posemachine/posemachine.hpp>

#include <cstdio>

double drawn_elsewhere(unsigned long long seed);

int main() {
  posemachine::RandomStream stream(7, posemachine::Purpose::test);
  if (stream.uniform() != drawn_elsewhere(7)) return 1;
  std::puts("equal draws in both translation units");
  return 0;
}
