// What a device can do, as far as schedules depend on it: passes ask this, never a version or a processor.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/op_info.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace schedule {

namespace detail {

inline bool is_activation(const OpInfo& op) { return op.kind() == OpKind::activation; }

}  // namespace detail

struct Capabilities {
  int channel_block = 16;      // channels that stand together in the blocked layout
  bool host_visible = true;    // the caller's memory can be an input's buffer
  bool blocked = true;         // maps in the blocked layout; without it every map is plain
  bool channels_last = true;   // convolutions on maps that have their channels last are worth having
  bool winograd = true;        // Winograd's algorithm, where channels are whole blocks
  bool channel_slices = true;  // kernels work on whole blocks of channels inside a larger map of one image
  bool in_place = true;        // dst may lie where a src lay, as OpTraits::overwrites says
  bool weight_gates = true;    // weights may be multiplied by a gate in every run
  bool post_op_sum = true;     // a convolution may add to what lies where its dst will
  /// Whether a convolution may end in this operation.
  bool (*has_post_op)(const OpInfo&) = detail::is_activation;
};

/// oneDNN's on a processor whose kernels prefer blocks of so many channels: 16 with AVX-512, 8 below.
constexpr Capabilities processor_capabilities(int channel_block) {
  return {.channel_block = channel_block, .channels_last = channel_block == 16, .winograd = channel_block == 16};
}

/// A device that can do nothing but run one operation after another on plain maps.
constexpr Capabilities least_capabilities() {
  return {.channel_block = 1,
          .blocked = false,
          .channels_last = false,
          .winograd = false,
          .channel_slices = false,
          .in_place = false,
          .weight_gates = false,
          .post_op_sum = false,
          .has_post_op = [](const OpInfo&) { return false; }};
}

}  // namespace schedule
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
