// expect: give the block a name
// within: 10
#include <posemachine/compose.hpp>

using namespace posemachine;

#ifdef TWIN
struct Block {
  static constexpr Value lower(Graph& graph, Value src) { return convolution(graph, src, {.out = 2}); }
};
#else
struct {
  static constexpr Value lower(Graph& graph, Value src) { return convolution(graph, src, {.out = 2}); }
} unnamed;
using Block = decltype(unnamed);
#endif
struct Net : Network<Input<"image", 3>, Block, Output<"heatmaps">> {};
static_assert(node_count<Net> == 2);
