// The other translation unit.
#include <posemachine/compose.hpp>

double drawn_elsewhere(unsigned long long seed) {
  return posemachine::RandomStream(seed, posemachine::Purpose::test).uniform();
}
