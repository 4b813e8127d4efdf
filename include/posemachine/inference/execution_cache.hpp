// ExecutionCache: an estimator's executions by input size; a few, the least recently used one leaves.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/inference/program_cache.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct ExecutionCacheOptions {
  int threads = 1;  // at each execution
  std::uint64_t max_bytes = engine::ProgramOptions{}.max_bytes;
  std::size_t capacity = 4;  // executions kept; at least 1
};

/// Makes executions on demand and keeps a few. Belongs to one thread at a time, as its executions do;
/// programs and weights are shared.
class ExecutionCache {
 public:
  /// `prepare` is called once for every new execution, to fill inputs that never change.
  ExecutionCache(std::shared_ptr<ProgramCache> programs, std::shared_ptr<engine::PreparedWeights> weights,
                 const ExecutionCacheOptions& options, std::function<void(engine::Execution&, Size)> prepare = {});

  /// The execution for images of this size; valid until the next call. Errors: as Program's constructor.
  engine::Execution& get(Size image);

  bool contains(Size image) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Size image;
    std::unique_ptr<engine::Execution> execution;
  };

  std::shared_ptr<ProgramCache> programs_;
  std::shared_ptr<engine::PreparedWeights> weights_;
  ExecutionCacheOptions options_;
  std::function<void(engine::Execution&, Size)> prepare_;
  std::vector<Entry> entries_;  // the most recently used first
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/execution_cache.ipp>
#endif
