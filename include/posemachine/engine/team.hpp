// The number of threads oneDNN uses, bounded where a program is compiled.
#pragma once

#include <posemachine/core/config.hpp>

#include <dlfcn.h>

#include <mutex>

namespace posemachine::inline POSEMACHINE_BUILD {

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

// oneDNN 2.6 writes to shared maps while it looks for a reorder: primitives are made one at a time.
// Recursive: making an execution prepares weights.
inline std::recursive_mutex& creation_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace detail

/// Bounds OpenMP's team of the calling thread while it lives. oneDNN fixes a primitive's thread count when the
/// primitive is made, from this number; a few ask again when they run, so an execution bounds both.
class Team {
 public:
  explicit Team(int threads) {
    const detail::OpenMp& openmp = detail::OpenMp::instance();
    if (openmp.set_num_threads == nullptr || openmp.get_max_threads == nullptr) return;  // oneDNN built without OpenMP
    before_ = openmp.get_max_threads();
    openmp.set_num_threads(threads);
  }
  ~Team() {
    if (before_ > 0) detail::OpenMp::instance().set_num_threads(before_);
  }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

 private:
  int before_ = 0;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
