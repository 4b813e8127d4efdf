// Reorder: oneDNN's copy from one layout into another, with a scratchpad of its own.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Moves the same values from `from` to `to`, two memories of one engine. Belongs to one thread at a time; make it
/// under creation_mutex().
class Reorder {
 public:
  Reorder() = default;
  /// accumulate: add to what `to` holds instead of replacing it.
  Reorder(dnnl::memory from, dnnl::memory to, bool accumulate = false) : from_(std::move(from)), to_(std::move(to)) {
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

  explicit operator bool() const { return static_cast<bool>(primitive_); }
  const dnnl::memory& to() const { return to_; }

  void run(dnnl::stream& stream) const {
    std::array<dnnl_exec_arg_t, 3> arguments{{{DNNL_ARG_FROM, from_.get()}, {DNNL_ARG_TO, to_.get()}, {}}};
    int count = 2;
    if (scratchpad_) arguments[static_cast<std::size_t>(count++)] = {DNNL_ARG_SCRATCHPAD, scratchpad_.get()};
    const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream.get(), count, arguments.data());
    if (status != dnnl_success) {
      fail<RuntimeFailure>({.where = "oneDNN reorder", .got = "status " + std::to_string(status)});
    }
  }

 private:
  dnnl::memory from_;
  dnnl::memory to_;
  dnnl::memory scratchpad_;
  dnnl::reorder primitive_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
