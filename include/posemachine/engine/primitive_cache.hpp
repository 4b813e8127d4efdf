// A bound on oneDNN's cache of primitives, while programs are compiled.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/engine/dnnl_bridge.hpp>
#include <posemachine/engine/thread_limit.hpp>

#include <mutex>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

/// oneDNN keeps the last 1,024 primitives of the process, with their code, whether or not anyone still has them: some
/// 130 MB for a program that meets images of many sizes. While an instance lives the cache holds at most `most`;
/// afterwards it may again what it might before. Programs keep what they use in any case. Other threads that compile
/// wait meanwhile.
class PrimitiveCacheBound {
 public:
  explicit PrimitiveCacheBound(int most)
      : lock_(detail::creation_mutex()), before_(dnnl::get_primitive_cache_capacity()) {
    if (before_ > most) dnnl::set_primitive_cache_capacity(most);
    lowered_ = before_ > most;
  }
  ~PrimitiveCacheBound() {
    if (lowered_) dnnl::set_primitive_cache_capacity(before_);
  }
  PrimitiveCacheBound(const PrimitiveCacheBound&) = delete;
  PrimitiveCacheBound& operator=(const PrimitiveCacheBound&) = delete;

 private:
  std::scoped_lock<std::recursive_mutex> lock_;  // the capacity is the process's: one bound at a time
  int before_ = 0;
  bool lowered_ = false;
};

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
