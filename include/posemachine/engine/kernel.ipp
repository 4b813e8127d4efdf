// The definitions of engine/kernel.hpp.
#pragma once

#include <posemachine/engine/kernel.hpp>

#include <posemachine/core/error.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE std::byte* Binding::value(int id) const {
  if (staged != nullptr) {
    for (const auto& [value, copy] : *staged) {
      if (value == id) return copy;
    }
  }
  const schedule::Schedule::Place place = schedule->place(id);
  const schedule::ScheduledValue& root = schedule->value(place.root);
  std::byte* base = root.external ? (*externals)[static_cast<std::size_t>(place.root)] : arena + root.arena_offset;
  // A place inside another value exists only where its channels are contiguous: one image, whole blocks.
  return base + root.bytes_of(place.channel_offset);
}

POSEMACHINE_INLINE dnnl::memory::desc BuildContext::desc(const MapDesc& map) const {
  using Tag = dnnl::memory::format_tag;
  const Tag blocked = map.block == 16 ? Tag::nChw16c : Tag::nChw8c;
  return desc(map, map.layout == Layout::plain ? Tag::nchw : map.layout == Layout::channels_last ? Tag::nhwc : blocked);
}

POSEMACHINE_INLINE dnnl::memory::desc BuildContext::desc(const MapDesc& map, dnnl::memory::format_tag tag) const {
  return {{map.n, map.c, map.h, map.w}, dnnl_type(map.type), tag};
}

POSEMACHINE_INLINE void fail_no_implementation(const BuildContext& context) {
  fail<RuntimeFailure>({.where = describe(context.graph(), context.step->node),
                        .expected = "an implementation in this build of oneDNN",
                        .got = "none for these dimensions"});
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
