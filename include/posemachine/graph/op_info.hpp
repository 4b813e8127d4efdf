// What the library knows about a kind of operation: one description, from which strides, sizes, receptive fields,
// costs, files and gradients follow.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/data_type.hpp>
#include <posemachine/core/geometry.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct Graph;
struct Node;
class Gradients;
struct CustomKernels;

/// The options of a node: the fields of its operation's option struct, in order, then zeros.
using Options = std::array<std::int32_t, 12>;

/// Name and inclusive range of one option; the name is also its key in a model file.
struct OptionInfo {
  std::string_view name;
  std::int32_t low = 0;
  std::int32_t high = 0;
  bool optional = false;    // may be absent from a file: an option that the operation got later
  std::int32_t absent = 0;  // what it then is; a writer leaves it out where it is that
};

/// How an operation's dst cells look at src cells. An operation that works cell by cell is the default window. With a
/// scale it is the transpose of one: each src cell spreads over a window of dst cells, `scale` cells apart.
struct Window {
  int kernel = 1;          // cells, square
  int stride = 1;          // cells
  int dilation = 1;        // cells between taps, counted from 1: 1 is dense
  int padding = 0;         // cells added at the top and left; as many as needed at the bottom and right
  bool ceil = false;       // round the size up instead of down
  bool global = false;     // looks at the whole map and gives one cell
  int scale = 0;           // dst cells per src cell; kernel and padding are then of dst cells; 0: not transposed
  int output_padding = 0;  // transposed: more dst cells at the bottom and right

  constexpr int reach() const { return (kernel - 1) * dilation + 1; }  // cells from the first tap to the last
  /// The most src cells in a row that one dst cell depends on.
  constexpr int src_reach() const { return scale == 0 ? reach() : (reach() + scale - 1) / scale; }

  /// dst extent for a src extent, or 0 where the window does not fit.
  constexpr int extent(int src) const {
    if (global) return 1;
    if (scale > 0) {
      const std::int64_t dst = std::int64_t{src - 1} * scale + reach() - 2 * padding + output_padding;
      return dst < 1 ? 0 : dst > 1 << 30 ? 1 << 30 : static_cast<int>(dst);
    }
    const int span = src + 2 * padding - reach();
    if (span < 0) return 0;
    int dst = (ceil ? span + stride - 1 : span) / stride + 1;
    if (ceil && (dst - 1) * stride >= src + padding)
      --dst;  // the last window must start inside the map (Caffe, PyTorch)
    return dst;
  }
  constexpr Size size(Size src) const { return {extent(src.height), extent(src.width)}; }

  /// Cells of padding at the bottom or right that the last window reaches into; negative: cells that no window reads.
  constexpr int padding_end(int src) const { return global ? 0 : (extent(src) - 1) * stride + reach() - src - padding; }
};

/// What passes take an operation for.
enum class OpKind : std::uint8_t {
  other,
  input,            // written by the caller
  convolution,      // options: ConvolutionOptions
  activation,       // of one src, cell by cell, without parameters
  max_pooling,      // of one src
  average_pooling,  // of one src, in windows or as a whole
  sum,              // of all srcs
  concat,           // of all srcs, channel after channel
  slice,            // options: SliceOptions
  channel_scale,    // src 0 times src 1, one number per image and channel
  batch_norm,
  dropout
};

/// What passes may do with an operation, besides leaving it as it is.
struct OpTraits {
  OpKind kind = OpKind::other;
  bool is_cheap = false;    // computed from one src, cell by cell, in less time than its dst takes to be kept and read
  bool is_random = false;   // two nodes of it compute different values from equal inputs
  int overwrites = -1;      // the input in whose memory dst may lie where nobody reads that input afterwards; -1: none
  std::string_view onnx{};  // the operator of ONNX that does the same with the same inputs, without attributes
};

/// The description of an operation. Built-in and user-made operations are the same to a graph.
struct OpInfo {
  std::string_view name;
  int version = 1;
  int min_inputs = 1;
  int max_inputs = 1;
  std::span<const OptionInfo> options{};
  /// Geometry; null for operations that work cell by cell.
  constexpr Window geometry(const Options& values) const { return window != nullptr ? window(values) : Window{}; }
  Window (*window)(const Options&) = nullptr;
  /// Checks inputs and parameters and returns dst channels.
  int (*infer)(Graph&, const Node&) = nullptr;
  /// Checks the types of inputs and parameters and returns that of dst; null: all inputs have one type, and so has dst.
  DataType (*type)(Graph&, const Node&) = nullptr;
  /// Multiply-adds per dst cell and image.
  std::int64_t (*multiply_adds)(const Graph&, const Node&) = nullptr;
  /// Adds the nodes that carry the gradient of dst to inputs and parameters; null: no gradient passes.
  void (*differentiate)(Gradients&, int node) = nullptr;
  OpTraits traits{};
  /// What passes take it for: a user's operation is computed by its own kernels, whatever it says.
  constexpr OpKind kind() const { return kernels == nullptr ? traits.kind : OpKind::other; }
  /// A user's operation: how to compute it. Its gradient follows from its backward kernel.
  const CustomKernels* kernels = nullptr;
};

namespace detail {

// An option struct as it lies in Options. Cast as a whole: Clang bounds the steps of a constant evaluation, and loops
// over the fields took a quarter of a convolution's 1,700.
template <class OptionStruct>
struct PaddedOptions {
  static_assert(sizeof(OptionStruct) % sizeof(std::int32_t) == 0 && sizeof(OptionStruct) < sizeof(Options),
                "an option struct has at most 11 fields, all of 32 bits");
  OptionStruct values;
  std::array<std::int32_t, (sizeof(Options) - sizeof(OptionStruct)) / sizeof(std::int32_t)> rest{};
};

}  // namespace detail

/// Option structs hold only std::int32_t fields, or enumerations of that size, in the order of their OptionInfo, so they convert to Options and back.
template <class OptionStruct>
constexpr Options pack(const OptionStruct& values) {
  return std::bit_cast<Options>(detail::PaddedOptions<OptionStruct>{values, {}});
}

template <class OptionStruct>
constexpr OptionStruct unpack(const Options& packed) {
  return std::bit_cast<detail::PaddedOptions<OptionStruct>>(packed).values;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
