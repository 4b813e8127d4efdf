// The definitions of engine/reorder.hpp.
#pragma once

#include <posemachine/engine/reorder.hpp>

#include <posemachine/core/error.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE Reorder::Reorder(dnnl::memory from, dnnl::memory to, bool accumulate)
    : from_(std::move(from)), to_(std::move(to)) {
  dnnl::primitive_attr attributes = primitive_attributes();
  if (accumulate) {
    dnnl::post_ops ops;
    ops.append_sum(1.0f);
    attributes.set_post_ops(ops);
  }
  const dnnl::reorder::primitive_desc desc(from_, to_, attributes);
  primitive_ = dnnl::reorder(desc);
  if (desc.scratchpad_desc().get_size() > 0) scratchpad_ = dnnl::memory(desc.scratchpad_desc(), to_.get_engine());
}

POSEMACHINE_INLINE void Reorder::run(dnnl::stream& stream) const {
  std::array<dnnl_exec_arg_t, 3> arguments{{{DNNL_ARG_FROM, from_.get()}, {DNNL_ARG_TO, to_.get()}, {}}};
  int count = 2;
  if (scratchpad_) arguments[static_cast<std::size_t>(count++)] = {DNNL_ARG_SCRATCHPAD, scratchpad_.get()};
  const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream.get(), count, arguments.data());
  if (status != dnnl_success) {
    fail<RuntimeFailure>({.where = "oneDNN reorder", .got = "status " + std::to_string(status)});
  }
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
