// limit: 6 s, 700 MB
// The umbrella header, nothing used.
#include <posemachine/posemachine.hpp>

int main() {}
