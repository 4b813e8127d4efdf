// The definitions of training/supervision.hpp.
#pragma once

#include <posemachine/training/supervision.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/passes/heatmap_logits.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/graph/sizes.hpp>

#include <algorithm>
#include <span>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<std::size_t> Supervision::places(bool heatmaps) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].is_heatmaps == heatmaps) found.push_back(i);
  }
  return found;
}

POSEMACHINE_INLINE std::vector<std::size_t> Supervision::logits() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].loss.of_logits && outputs[i].weight > 0) found.push_back(i);
  }
  return found;
}

namespace detail {

// The role of an output of so many channels, or an error that says what is missing.
POSEMACHINE_INLINE const OutputRole& role_of(const OutputSpec& output, int channels, const JointSet& joints,
                                             const OutputRoles& roles) {
  const OutputRole* const role = roles.find(output.role);
  if (role == nullptr) {
    std::string known;
    for (const std::string& each : roles.names()) known += (known.empty() ? "" : ", ") + each;
    fail<UsageError>({.where = "the output " + output.name,
                      .expected = "a role that this program can draw targets for: " + known,
                      .got = output.role,
                      .remedy = "give TrainKinds::roles a row of this name, or the output a weight of 0"});
  }
  const int wanted = role->channels != nullptr ? role->channels(joints) : channels;
  if (channels == wanted) return *role;
  fail<UsageError>({.where = "the output " + output.name,
                    .expected = std::to_string(wanted) + " channels for its role " + output.role +
                                " and the joint set " + joints.name,
                    .got = std::to_string(channels),
                    .remedy = wanted > 0 ? "give its last layer as many" : "give the joint set limbs"});
}

POSEMACHINE_INLINE OutputOptions options_of(const std::string& output, const TrainOptions& options) {
  for (const OutputOptions& each : options.outputs) {
    if (each.output == output) return each;
  }
  return {.output = output};
}

POSEMACHINE_INLINE void require_known_outputs(const ModelSpec& spec, const TrainOptions& options) {
  for (std::size_t i = 0; i < options.outputs.size(); ++i) {
    const std::string& name = options.outputs[i].output;
    const auto refuse = [&](const std::string& expected, const std::string& got) {
      fail<UsageError>(
          {.where = "options.outputs[" + std::to_string(i) + "].output", .expected = expected, .got = got});
    };
    const auto has_name = [&](const OutputSpec& each) { return each.name == name; };
    if (std::none_of(spec.outputs.begin(), spec.outputs.end(), has_name)) {
      refuse("an output of the model besides its heatmaps", name);
    }
    for (std::size_t k = 0; k < i; ++k) {
      if (options.outputs[k].output == name) refuse("every output once", name + " again");
    }
  }
}

}  // namespace detail

POSEMACHINE_INLINE Supervision supervise(const Model& model, const TrainOptions& options, const TrainKinds& kinds) {
  const Graph& graph = model.graph();
  const ModelSpec& spec = model.spec();
  detail::require_known_outputs(spec, options);
  const std::vector<Size> sizes = infer_sizes(graph, {spec.input_height, spec.input_width});
  Supervision all;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const std::string name = output_name(graph, i);
    const auto other = std::find_if(spec.outputs.begin(), spec.outputs.end(),
                                    [&](const OutputSpec& each) { return each.name == name; });
    if (other == spec.outputs.end()) {
      all.outputs.push_back({name, true, kinds.losses.get(options.loss, "loss")});
      continue;
    }
    const OutputOptions own = detail::options_of(name, options);
    SupervisedOutput output{name, false, kinds.losses.get(own.loss, "loss of the output " + name), own.weight};
    if (own.weight > 0) {
      const Value value{graph.outputs[i].value};
      const int maps = channels(graph, value);
      output.targets = all.targets.size();
      all.targets.push_back({name, maps, sizes[static_cast<std::size_t>(value.id)], stride_of(graph, value).ratio(),
                             detail::role_of(*other, maps, spec.joints, kinds.roles).draw});
    }
    all.outputs.push_back(std::move(output));
  }
  return all;
}

namespace detail {

// Batches of a loader with other options, or made by hand.
POSEMACHINE_INLINE void require_fitting_targets(const SupervisedOutput& output, const Tensor& targets,
                                                const Tensor& weights, std::int64_t first,
                                                const engine::SliceView& view, std::size_t values) {
  const bool ranks = targets.shape.size() == 4 && weights.shape.size() == 2;
  const bool fits =
      ranks && targets.shape[0] == weights.shape[0] && targets.shape[1] == weights.shape[1] &&
      element_count(targets.shape) == static_cast<std::int64_t>(targets.values.size()) &&
      element_count(weights.shape) == static_cast<std::int64_t>(weights.values.size()) && first >= 0 &&
      first + view.count <= targets.shape[0] &&
      view.count * targets.shape[1] * targets.shape[2] * targets.shape[3] == static_cast<std::int64_t>(values);
  if (fits) return;
  fail<UsageError>({.where = "batch",
                    .expected = "targets and weights of the output " + output.name +
                                " per sample, of the shapes that a loader with the step's loader_options() makes",
                    .got = to_string(targets.shape) + " and " + to_string(weights.shape)});
}

}  // namespace detail

POSEMACHINE_INLINE double compute_loss(const SupervisedOutput& output, std::size_t place, const Batch& made,
                                       const engine::SliceView& view, int batch) {
  const std::span<float> gradient = view.output_gradients[place];
  if (!output.is_heatmaps && !output.targets) {
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    return 0;
  }
  const Tensor& targets = output.targets ? made.output_targets[*output.targets] : made.targets;
  const Tensor& weights = output.targets ? made.output_weights[*output.targets] : made.map_weights;
  detail::require_fitting_targets(output, targets, weights, view.first - made.first, view, view.outputs[place].size());
  const auto maps = static_cast<std::size_t>(weights.shape[1]);
  const auto cells = static_cast<std::size_t>(targets.shape[2] * targets.shape[3]);
  const std::size_t first = static_cast<std::size_t>(view.first - made.first) * maps;
  const std::size_t count = static_cast<std::size_t>(view.count) * maps;
  const double loss =
      output.loss.compute({view.outputs[place], std::span(targets.values).subspan(first * cells, count * cells),
                           std::span(weights.values).subspan(first, count), cells, batch},
                          gradient);
  if (output.weight != 1) {
    for (float& value : gradient) value *= static_cast<float>(output.weight);
  }
  return loss;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
