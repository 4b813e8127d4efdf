// Links with mixed_other.cpp only if both are built with the same choices.
#include <posemachine/core/geometry.hpp>

posemachine::Point moved(posemachine::Point point);

int main() { return moved({1, 2}) == posemachine::Point{2, 3} ? 0 : 1; }
