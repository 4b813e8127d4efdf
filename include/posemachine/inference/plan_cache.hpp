// Plans of one graph by input size: a few, the least recently used one leaves.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/engine/plan.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/engine/primitive_cache.hpp>
#include <posemachine/graph/graph.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Makes plans on demand and keeps at most `capacity`; oneDNN's own cache is left with at most 256 primitives, so that
/// memory stays what it is however many sizes come. Belongs to one thread at a time, as its plans do; the weights are
/// shared.
class PlanCache {
 public:
  /// `prepare` is called once for every new plan, to fill inputs that never change. Plans are made with `options`,
  /// whose image is that of the request.
  PlanCache(std::shared_ptr<const Graph> graph, std::shared_ptr<PreparedWeights> weights, const PlanOptions& options,
            std::size_t capacity, std::function<void(Plan&, Size)> prepare = {})
      : graph_(std::move(graph)),
        weights_(std::move(weights)),
        options_(options),
        capacity_(std::max<std::size_t>(1, capacity)),
        prepare_(std::move(prepare)) {}

  /// The plan for images of this size; valid until the next call. Errors: as Plan's constructor.
  Plan& get(Size image) {
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.image == image; });
    if (found != entries_.end()) {
      std::rotate(entries_.begin(), found, found + 1);
      return *entries_.front().plan;
    }
    if (entries_.size() == capacity_) entries_.pop_back();  // first: two plans of different sizes need not fit together
    PlanOptions options = options_;
    options.image = image;
    const PrimitiveCacheBound bound(cached_primitives);
    Entry entry{image, std::make_unique<Plan>(*graph_, weights_, options)};
    if (prepare_) prepare_(*entry.plan, image);
    entries_.insert(entries_.begin(), std::move(entry));
    return *entries_.front().plan;
  }

  bool contains(Size image) const {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.image == image; });
  }
  std::size_t size() const { return entries_.size(); }

 private:
  static constexpr int cached_primitives = 256;  // equal layers of one network are found again; some 30 MB

  struct Entry {
    Size image;
    std::unique_ptr<Plan> plan;
  };

  std::shared_ptr<const Graph> graph_;
  std::shared_ptr<PreparedWeights> weights_;
  PlanOptions options_;
  std::size_t capacity_;
  std::function<void(Plan&, Size)> prepare_;
  std::vector<Entry> entries_;  // the most recently used first
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
