// Reorder: oneDNN's copy from one layout into another, with a scratchpad of its own.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// Moves the same values from `from` to `to`, two memories of one engine. Belongs to one thread at a time; make it
/// under creation_mutex().
class Reorder {
 public:
  Reorder() = default;
  /// accumulate: add to what `to` holds instead of replacing it.
  Reorder(dnnl::memory from, dnnl::memory to, bool accumulate = false);

  explicit operator bool() const { return static_cast<bool>(primitive_); }
  const dnnl::memory& to() const { return to_; }

  void run(dnnl::stream& stream) const;

 private:
  dnnl::memory from_;
  dnnl::memory to_;
  dnnl::memory scratchpad_;
  dnnl::reorder primitive_;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/reorder.ipp>
#endif
