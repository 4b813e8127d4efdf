// ProgramCache: one program per input size and number of threads, for all estimators of a model.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/primitive_cache.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// What oneDNN's own cache is left with: equal layers of one network are found again, in some 30 MB.
inline constexpr int cached_primitives = 256;

/// Compiles a graph on demand. A program lives as long as somebody holds it; while it does, whoever asks for the same
/// gets the same. oneDNN's own cache is kept small, so that memory stays what it is however many sizes come. Safe to
/// share between threads; one that compiles lets the others wait.
class ProgramCache {
 public:
  /// Every program is compiled with `common`, but for what a request says.
  explicit ProgramCache(std::shared_ptr<const Graph> graph, const ProgramOptions& common = {})
      : graph_(std::move(graph)), common_(common) {}

  const Graph& graph() const { return *graph_; }

  /// Errors: as Program's constructor.
  std::shared_ptr<const Program> get(Size image, int threads, std::uint64_t max_bytes) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(entries_, [](const std::weak_ptr<const Program>& entry) { return entry.expired(); });
    for (const std::weak_ptr<const Program>& entry : entries_) {
      const std::shared_ptr<const Program> program = entry.lock();
      if (program == nullptr) continue;
      const bool same = program->options().image == image && program->options().threads == threads;
      if (same && program->execution_bytes() <= max_bytes) return program;
    }
    ProgramOptions options = common_;
    options.image = image;
    options.threads = threads;
    options.max_bytes = max_bytes;
    const PrimitiveCacheBound bound(cached_primitives);
    auto program = std::make_shared<const Program>(*graph_, options);
    entries_.push_back(program);
    return program;
  }

  /// Programs that somebody holds.
  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        entries_.begin(), entries_.end(), [](const std::weak_ptr<const Program>& entry) { return !entry.expired(); }));
  }

 private:
  std::shared_ptr<const Graph> graph_;
  ProgramOptions common_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<const Program>> entries_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
