// The network of the paper, composed and its facts asked for: 345 nodes.
#include <posemachine/compose.hpp>

static_assert(posemachine::parameter_count<posemachine::ScalingDilation<>> == 1'602'212);
static_assert(posemachine::receptive_field<posemachine::ScalingDilation<>> == 785);

int main() {}
