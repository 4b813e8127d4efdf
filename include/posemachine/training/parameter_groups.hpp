// Groups of parameters that learn at rates of their own.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/graph.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Parameters by name, as summary --nodes prints them: "Stage_1.*", "*.bias". `*` stands for any number of characters,
/// `?` for one.
struct ParameterGroup {
  std::string match{};
  double rate = 1;           // times the run's learning rate; 0: left as they are
  double weight_decay = -1;  // instead of the optimiser's; -1: the optimiser's
};

/// Whether a pattern of `*`, `?` and plain characters describes the whole text.
bool matches(std::string_view pattern, std::string_view text);

/// The group of every parameter, by id: an index into `groups`, the first that matches; -1: none.
/// Errors: UsageError for a group that no trainable parameter belongs to.
std::vector<int> find_groups(const Graph& graph, const std::vector<ParameterGroup>& groups);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/parameter_groups.ipp>
#endif
