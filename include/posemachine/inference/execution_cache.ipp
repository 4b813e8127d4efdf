// The definitions of inference/execution_cache.hpp.
#pragma once

#include <posemachine/inference/execution_cache.hpp>

#include <posemachine/engine/primitive_cache.hpp>

#include <algorithm>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE ExecutionCache::ExecutionCache(std::shared_ptr<ProgramCache> programs,
                                                  std::shared_ptr<engine::PreparedWeights> weights,
                                                  const ExecutionCacheOptions& options,
                                                  std::function<void(engine::Execution&, Size)> prepare)
    : programs_(std::move(programs)), weights_(std::move(weights)), options_(options), prepare_(std::move(prepare)) {}

POSEMACHINE_INLINE engine::Execution& ExecutionCache::get(Size image) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.image == image; });
  if (found != entries_.end()) {
    std::rotate(entries_.begin(), found, found + 1);
    return *entries_.front().execution;
  }
  if (entries_.size() >= std::max<std::size_t>(1, options_.capacity))
    entries_.pop_back();  // first: two of different sizes need not fit together
  std::shared_ptr<const engine::Program> program = programs_->get(image, options_.threads, options_.max_bytes);
  const engine::PrimitiveCacheBound bound(cached_primitives);  // not before: the lock of programs_ comes first
  Entry entry{image, std::make_unique<engine::Execution>(std::move(program), weights_)};
  if (prepare_) prepare_(*entry.execution, image);
  entries_.insert(entries_.begin(), std::move(entry));
  return *entries_.front().execution;
}

POSEMACHINE_INLINE bool ExecutionCache::contains(Size image) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.image == image; });
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
