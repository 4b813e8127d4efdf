// expect: a layer needs: static constexpr Value lower(Graph& graph, Value src)
// within: 10
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
using Block = ReLU;
#else
struct Block {};
#endif
struct Net : Network<Input<"image", 3>, Block, Output<"heatmaps">> {};
static_assert(node_count<Net> >= 1);
