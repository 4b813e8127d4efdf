// The other translation unit.
#include <posemachine/posemachine.hpp>

double drawn_elsewhere(unsigned long long seed) {
  return posemachine::RandomStream(seed, posemachine::Purpose::test).uniform();
}
