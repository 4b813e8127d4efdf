// limit: 1 s
// The compose tier: everything that a network is written with.
#include <posemachine/compose.hpp>

int main() {}
