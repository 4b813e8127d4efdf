// ProgramCache: one program per input size and number of threads, for all estimators of a model.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/graph.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// What oneDNN's own cache is left with: equal layers of one network are found again, in some 30 MB.
inline constexpr int cached_primitives = 256;

/// Compiles a graph on demand. A program lives as long as somebody holds it; while it does, whoever asks for the same
/// gets the same. oneDNN's own cache is kept small, so that memory stays what it is however many sizes come. Safe to
/// share between threads; one that compiles lets the others wait.
class ProgramCache {
 public:
  /// Every program is compiled with `common`, but for what a request says.
  explicit ProgramCache(std::shared_ptr<const Graph> graph, const engine::ProgramOptions& common = {});

  const Graph& graph() const { return *graph_; }

  /// Errors: as Program's constructor.
  std::shared_ptr<const engine::Program> get(Size image, int threads, std::uint64_t max_bytes);

  /// Programs that somebody holds.
  std::size_t size() const;

 private:
  std::shared_ptr<const Graph> graph_;
  engine::ProgramOptions common_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<const engine::Program>> entries_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/program_cache.ipp>
#endif
