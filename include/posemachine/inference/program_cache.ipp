// The definitions of inference/program_cache.hpp.
#pragma once

#include <posemachine/inference/program_cache.hpp>

#include <posemachine/engine/primitive_cache.hpp>

#include <algorithm>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE ProgramCache::ProgramCache(std::shared_ptr<const Graph> graph, const engine::ProgramOptions& common)
    : graph_(std::move(graph)), common_(common) {}

POSEMACHINE_INLINE std::shared_ptr<const engine::Program> ProgramCache::get(Size image, int threads,
                                                                            std::uint64_t max_bytes) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(entries_, [](const std::weak_ptr<const engine::Program>& entry) { return entry.expired(); });
  for (const std::weak_ptr<const engine::Program>& entry : entries_) {
    const std::shared_ptr<const engine::Program> program = entry.lock();
    if (program == nullptr) continue;
    const bool same = program->options().image == image && program->options().threads == threads;
    if (same && program->execution_bytes() <= max_bytes) return program;
  }
  engine::ProgramOptions options = common_;
  options.image = image;
  options.threads = threads;
  options.max_bytes = max_bytes;
  const engine::PrimitiveCacheBound bound(cached_primitives);
  auto program = std::make_shared<const engine::Program>(*graph_, options);
  entries_.push_back(program);
  return program;
}

POSEMACHINE_INLINE std::size_t ProgramCache::size() const {
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [](const std::weak_ptr<const engine::Program>& entry) { return !entry.expired(); }));
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
