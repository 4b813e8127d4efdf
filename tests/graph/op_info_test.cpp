// What operations say of themselves: windows against brute force, options, the lists.
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <vector>

namespace op_info_test {

using namespace posemachine;

namespace {

// Every tap of every window, laid down one after the other: how many windows there are, and where the last one ends.
struct Laid {
  int count = 0;
  int end = 0;  // one past the last tap, from the map's first cell
};

Laid lay_windows(const Window& window, int src) {
  const int first = -window.padding;
  const int end = src + window.padding;
  Laid laid;
  for (int start = first;; start += window.stride) {
    int tap = start;
    for (int k = 1; k < window.kernel; ++k) tap += window.dilation;
    const bool whole = tap < end;
    const bool first_one = laid.count == 0;
    // Rounding up takes one more window for the cells that are left, if it starts before the map ends.
    const bool rounded_up = window.ceil && !first_one && laid.end < end && start < src;
    if (!whole && !rounded_up) return laid;
    laid = {laid.count + 1, tap + 1};
  }
}

template <class OptionStruct>
void check_fields(std::span<const OptionInfo> infos) {
  CHECK(infos.size() * sizeof(std::int32_t) == sizeof(OptionStruct));
  const Options packed = pack(OptionStruct{});
  CHECK(pack(unpack<OptionStruct>(packed)) == packed);
  std::set<std::string_view> names;
  for (const OptionInfo& info : infos) {
    CAPTURE(info.name);
    CHECK(info.low <= info.high);
    CHECK(names.insert(info.name).second);
  }
}

}  // namespace

TEST_CASE("Window::extent and padding_end equal windows laid down one by one, rounding down and up") {
  int compared = 0;
  for (int kernel = 1; kernel <= 5; ++kernel) {
    for (int stride = 1; stride <= 4; ++stride) {
      for (int dilation = 1; dilation <= 3; ++dilation) {
        for (int padding = 0; padding <= 4; ++padding) {
          for (int src = 1; src <= 13; ++src) {
            for (const bool ceil : {false, true}) {
              const Window window{kernel, stride, dilation, padding, ceil};
              if (ceil && padding >= window.reach()) continue;  // pooling refuses it
              const Laid laid = lay_windows(window, src);
              CAPTURE(kernel);
              CAPTURE(stride);
              CAPTURE(dilation);
              CAPTURE(padding);
              CAPTURE(src);
              CAPTURE(ceil);
              REQUIRE(window.extent(src) == laid.count);
              if (laid.count > 0) REQUIRE(window.padding_end(src) == laid.end - src);
              ++compared;
            }
          }
        }
      }
    }
  }
  CHECK(compared > 5000);
}

TEST_CASE("Window: sizes that papers and frameworks give") {
  CHECK(Window{.kernel = 3, .stride = 2, .padding = 1}.extent(368) == 184);
  CHECK(Window{.kernel = 3, .stride = 2, .ceil = true}.extent(368) == 184);  // Caffe's pooling
  CHECK(Window{.kernel = 3, .stride = 2}.extent(368) == 183);
  CHECK(Window{.kernel = 3, .dilation = 4, .padding = 4}.extent(46) == 46);
  CHECK(Window{.kernel = 3, .dilation = 4}.reach() == 9);
  CHECK(Window{.kernel = 5}.extent(4) == 0);
  CHECK(Window{.kernel = 5}.extent(5) == 1);
  CHECK(Window{.global = true}.size({7, 9}) == Size{1, 1});
  // A third window would start in the padding: PyTorch and Caffe leave it out.
  CHECK(Window{.kernel = 2, .stride = 2, .padding = 1, .ceil = true}.extent(3) == 2);
}

TEST_CASE("ops: names are distinct, and only inputs pass no gradient on") {
  std::set<std::string_view> names;
  for (const OpInfo* op : forward_ops) {
    CAPTURE(op->name);
    CHECK(names.insert(op->name).second);
    CHECK((op->differentiate == nullptr) == (op == &input_op));
  }
  for (const OpInfo* op : backward_ops) {
    CAPTURE(op->name);
    CHECK(names.insert(op->name).second);
  }
}

TEST_CASE("options: every field of an option struct has a name and a range, and survives packing") {
  check_fields<ConvolutionOptions>(convolution_options);
  check_fields<PoolingOptions>(pool_options);
  check_fields<BatchNormOptions>(batch_norm_options);
  check_fields<DropoutOptions>(dropout_options);
  check_fields<InputOptions>(input_options);
  check_fields<SpatialSoftmaxOptions>(spatial_softmax_options);
  check_fields<SliceOptions>(slice_options);
  const Options packed = pack(PoolingOptions{.window = 3, .stride = 2, .padding = 1, .ceil = 1});
  CHECK(packed == Options{3, 2, 1, 1, 0, 0, 0, 0});
}

}  // namespace op_info_test
