// The other half of mixed_main.cpp.
#include <posemachine/core/geometry.hpp>

posemachine::Point moved(posemachine::Point point) { return point + posemachine::Point{1, 1}; }
