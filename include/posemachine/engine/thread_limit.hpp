// The number of threads oneDNN uses, bounded where a program is compiled.
#pragma once

#include <posemachine/core/config.hpp>

#include <mutex>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// oneDNN 2.6 writes to shared maps while it looks for a reorder: primitives are made one at a time.
// Recursive: making an execution prepares weights.
std::recursive_mutex& creation_mutex();

}  // namespace detail

/// Bounds OpenMP's team of the calling thread while it lives. oneDNN fixes a primitive's thread count when the
/// primitive is made, from this number; a few ask again when they run, so an execution bounds both.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_ = 0;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/thread_limit.ipp>
#endif
