// ExecutionCache: an estimator's executions by input size; a few, the least recently used one leaves.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/primitive_cache.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/inference/program_cache.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct ExecutionCacheOptions {
  int threads = 1;  // at each execution
  std::uint64_t max_bytes = ProgramOptions{}.max_bytes;
  std::size_t capacity = 4;  // executions kept; at least 1
};

/// Makes executions on demand and keeps a few. Belongs to one thread at a time, as its executions do;
/// programs and weights are shared.
class ExecutionCache {
 public:
  /// `prepare` is called once for every new execution, to fill inputs that never change.
  ExecutionCache(std::shared_ptr<ProgramCache> programs, std::shared_ptr<PreparedWeights> weights,
                 const ExecutionCacheOptions& options, std::function<void(Execution&, Size)> prepare = {})
      : programs_(std::move(programs)), weights_(std::move(weights)), options_(options), prepare_(std::move(prepare)) {}

  /// The execution for images of this size; valid until the next call. Errors: as Program's constructor.
  Execution& get(Size image) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.image == image; });
    if (found != entries_.end()) {
      std::rotate(entries_.begin(), found, found + 1);
      return *entries_.front().execution;
    }
    if (entries_.size() >= std::max<std::size_t>(1, options_.capacity))
      entries_.pop_back();  // first: two of different sizes need not fit together
    std::shared_ptr<const Program> program = programs_->get(image, options_.threads, options_.max_bytes);
    const PrimitiveCacheBound bound(cached_primitives);  // not before: the lock of programs_ comes first
    Entry entry{image, std::make_unique<Execution>(std::move(program), weights_)};
    if (prepare_) prepare_(*entry.execution, image);
    entries_.insert(entries_.begin(), std::move(entry));
    return *entries_.front().execution;
  }

  bool contains(Size image) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.image == image; });
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Size image;
    std::unique_ptr<Execution> execution;
  };

  std::shared_ptr<ProgramCache> programs_;
  std::shared_ptr<PreparedWeights> weights_;
  ExecutionCacheOptions options_;
  std::function<void(Execution&, Size)> prepare_;
  std::vector<Entry> entries_;  // the most recently used first
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
