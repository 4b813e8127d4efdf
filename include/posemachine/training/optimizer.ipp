// The definitions of training/optimizer.hpp.
#pragma once

#include <posemachine/training/optimizer.hpp>

#include <posemachine/core/error.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Optimizer::Optimizer(const Graph& graph, const OptimizerOptions& options,
                                        const std::vector<ParameterGroup>& groups, const OptimizerKinds& kinds)
    : options_(options), kind_(kinds.get(options.kind, "optimizer")) {
  if (kind_.state != nullptr) {
    for (const std::string& name : kind_.state(options)) add_state(name);
  }
  const std::vector<int> group_of = find_groups(graph, groups);
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const Parameter& parameter = graph.parameters[id];
    trainable_.push_back(parameter.trainable);
    const ParameterGroup own = group_of[id] < 0 ? ParameterGroup{} : groups[static_cast<std::size_t>(group_of[id])];
    const bool decays = parameter.rank > 1 || options.decay_vectors || own.weight_decay >= 0;
    const double decay = own.weight_decay >= 0 ? own.weight_decay : options.weight_decay;
    decays_.push_back(decays ? decay : 0.0);
    rates_.push_back(own.rate);
    sizes_.push_back(static_cast<std::size_t>(parameter.size()));
    const std::size_t size = parameter.trainable ? sizes_.back() : 0;
    for (OptimizerState& each : state_) each.values.emplace_back(size);
  }
}

POSEMACHINE_INLINE std::vector<bool> Optimizer::updated() const {
  std::vector<bool> updated(trainable_);
  for (std::size_t id = 0; id < updated.size(); ++id) updated[id] = updated[id] && rates_[id] != 0;
  return updated;
}

POSEMACHINE_INLINE void Optimizer::update(std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                                          double rate, std::int64_t step, Workers& workers) {
  check(parameters, "parameters");
  check(gradients, "gradients");
  workers.for_each(static_cast<int>(parameters.size()), [&](int index, int) {
    const auto id = static_cast<std::size_t>(index);
    if (!trainable_[id] || rates_[id] == 0) return;
    update_one(parameters[id], gradients[id], id, rate * rates_[id], step);
  });
}

POSEMACHINE_INLINE void Optimizer::restore(std::vector<OptimizerState> kept) {
  const auto by_name = [](const OptimizerState& a, const OptimizerState& b) { return a.name < b.name; };
  std::vector<OptimizerState> own = state_;
  std::sort(own.begin(), own.end(), by_name);
  std::sort(kept.begin(), kept.end(), by_name);
  if (!std::equal(own.begin(), own.end(), kept.begin(), kept.end(), are_alike)) fail_unlike(own, kept);
  for (OptimizerState& each : state_) {
    const auto found = std::lower_bound(kept.begin(), kept.end(), each, by_name);
    each.values = std::move(found->values);
  }
}

POSEMACHINE_INLINE void Optimizer::add_state(const std::string& name) {
  const auto same = [&](const OptimizerState& each) { return each.name == name; };
  if (!name.empty() && name.find('/') == std::string::npos && std::none_of(state_.begin(), state_.end(), same)) {
    return state_.push_back({name, {}});
  }
  fail<UsageError>({.where = "optimiser " + options_.kind + ": what it keeps between updates",
                    .expected = "names that differ, are not empty and have no slash",
                    .got = "\"" + name + "\""});
}

POSEMACHINE_INLINE bool Optimizer::are_alike(const OptimizerState& a, const OptimizerState& b) {
  const auto same_size = [](const std::vector<float>& x, const std::vector<float>& y) { return x.size() == y.size(); };
  return a.name == b.name && std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(), same_size);
}

POSEMACHINE_INLINE void Optimizer::fail_unlike(const std::vector<OptimizerState>& own,
                                               const std::vector<OptimizerState>& kept) const {
  const auto list = [](const std::vector<OptimizerState>& states) {
    std::string names;
    for (const OptimizerState& each : states) names += (names.empty() ? "" : ", ") + each.name;
    return names.empty() ? std::string("nothing") : names;
  };
  fail<ModelError>({.where = "optimiser: what it keeps between updates",
                    .expected = list(own) + " of this network's parameters, as " + options_.kind + " of these options",
                    .got = list(kept) + (list(own) == list(kept) ? " of other sizes or another number" : "")});
}

POSEMACHINE_INLINE void Optimizer::check(const std::vector<Tensor>& tensors, const char* what) const {
  bool fits = tensors.size() == sizes_.size();
  for (std::size_t id = 0; fits && id < sizes_.size(); ++id)
    fits = !trainable_[id] || tensors[id].values.size() == sizes_[id];
  if (!fits) {
    fail<UsageError>({.where = std::string("optimiser: ") + what,
                      .expected = "the tensors of the graph's parameters",
                      .got = std::to_string(tensors.size()) + " tensors, of other sizes or number"});
  }
}

POSEMACHINE_INLINE void Optimizer::update_one(Tensor& parameter, const Tensor& gradient, std::size_t id, double rate,
                                              std::int64_t step) {
  std::vector<std::span<float>> state;
  for (OptimizerState& each : state_) state.emplace_back(each.values[id]);
  kind_.update({parameter.values, gradient.values, state, rate, decays_[id], step}, options_);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
