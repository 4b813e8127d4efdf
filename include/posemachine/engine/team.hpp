// The number of threads oneDNN uses, bounded where a program is compiled.
#pragma once

#include <posemachine/core/config.hpp>

#include <mutex>

namespace posemachine::inline POSEMACHINE_BUILD {

namespace detail {

// oneDNN 2.6 writes to shared maps while it looks for a reorder: primitives are made one at a time.
// Recursive: making an execution prepares weights.
std::recursive_mutex& creation_mutex();

}  // namespace detail

/// Bounds OpenMP's team of the calling thread while it lives. oneDNN fixes a primitive's thread count when the
/// primitive is made, from this number; a few ask again when they run, so an execution bounds both.
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

 private:
  int before_ = 0;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/engine/team.ipp>
#endif
