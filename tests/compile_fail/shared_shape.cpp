// expect: a shared block is used on values of other channels
// expect: shared_shape, 2, 35, 49,
// within: 5
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Block = Conv<5, 1>;
#else
using Block = Conv<7, 1>;
#endif
struct Net : Network<Input<"image", 5>, Shared<"twice", Block>, Shared<"twice", Block>, Output<"heatmaps">> {};
static_assert(node_count<Net> == 3);
