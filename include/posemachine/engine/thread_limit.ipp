// The definitions of engine/thread_limit.hpp.
#pragma once

#include <posemachine/engine/thread_limit.hpp>

#include <dlfcn.h>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

namespace detail {

// OpenMP as oneDNN has loaded it. Looked up, not linked: programs that include the library need no -fopenmp.
struct OpenMp {
  void (*set_num_threads)(int) = nullptr;
  int (*get_max_threads)() = nullptr;

  static const OpenMp& instance() {
    static const OpenMp functions = [] {
      OpenMp found;
      found.set_num_threads = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
      found.get_max_threads = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
      return found;
    }();
    return functions;
  }
};

POSEMACHINE_INLINE std::recursive_mutex& creation_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace detail

POSEMACHINE_INLINE ThreadLimit::ThreadLimit(int threads) {
  const detail::OpenMp& openmp = detail::OpenMp::instance();
  if (openmp.set_num_threads == nullptr || openmp.get_max_threads == nullptr) return;  // oneDNN built without OpenMP
  before_ = openmp.get_max_threads();
  openmp.set_num_threads(threads);
}

POSEMACHINE_INLINE ThreadLimit::~ThreadLimit() {
  if (before_ > 0) detail::OpenMp::instance().set_num_threads(before_);
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
