// A checkpoint: everything a run needs to go on as if it had never stopped.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/training/train_options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The state after `step` steps. Order of the data and all draws are functions of seed and step, so they need no state.
struct Checkpoint {
  Model model;
  TrainOptions options{};
  std::int64_t step = 0;                           // steps done
  double best_score = -1;                          // of validation so far; -1: none yet
  std::vector<std::vector<float>> first{};         // the optimiser's, by parameter id; none at step 0
  std::vector<std::vector<float>> second{};
  std::vector<double> epoch_losses{};              // of the epoch under way, by stage: sums over its steps
  std::int64_t epoch_steps = 0;                    // ... and how many these are
  std::string people{};                            // digest of the training set; empty: not known
};

namespace detail {
inline constexpr const char* training_note = "posemachine.training";
inline constexpr const char* first_prefix = "optimizer.first/";
inline constexpr const char* second_prefix = "optimizer.second/";

inline void require_finite_values(const std::vector<float>& values, const std::string& name) {
  for (const float value : values) {
    if (std::isfinite(value)) continue;
    fail<RuntimeFailure>({.where = "checkpoint: " + name, .expected = "finite values", .got = std::to_string(value)});
  }
}

// Sums of the epoch under way; absent in checkpoints of earlier builds, which then count from the resumption.
inline void read_epoch_sums(const Json& state, const std::string& where, Checkpoint& checkpoint) {
  const std::size_t stages = checkpoint.model.graph().outputs.size();
  checkpoint.epoch_losses.assign(stages, 0.0);
  if (!state.contains("epoch_steps") && !state.contains("epoch_losses")) return;
  checkpoint.epoch_steps = integer_member<ModelError>(state, "epoch_steps", where, 0, checkpoint.step);
  const Json& sums = array_member<ModelError>(state, "epoch_losses", where);
  bool fits = sums.size() == stages;
  for (std::size_t stage = 0; fits && stage < stages; ++stage) {
    fits = sums[stage].is_number();
    if (fits) checkpoint.epoch_losses[stage] = sums[stage].get<double>();
  }
  if (!fits) {
    fail<ModelError>({.where = where + ".epoch_losses",
                      .expected = std::to_string(stages) + " numbers, one a stage",
                      .got = sums.dump().substr(0, 60)});
  }
}

// The optimiser's tensors of one prefix, by parameter id; those taken leave `moments`.
inline std::vector<std::vector<float>> take_moments(const Graph& graph, std::vector<NamedTensor>& moments,
                                                    const std::string& prefix, const std::string& where) {
  std::vector<std::vector<float>> taken(graph.parameters.size());
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string name = prefix + parameter_name(graph, static_cast<int>(id));
    const auto found =
        std::find_if(moments.begin(), moments.end(), [&](const NamedTensor& each) { return each.name == name; });
    if (found == moments.end()) continue;
    const Shape shape{graph.parameters[id].size()};
    if (found->tensor.shape != shape) {
      fail<ModelError>({.where = where + ": " + name, .expected = "shape " + to_string(shape),
                        .got = to_string(found->tensor.shape)});
    }
    taken[id] = std::move(found->tensor.values);
    moments.erase(found);
  }
  return taken;
}

}  // namespace detail

/// The bytes of a checkpoint: the model's file with the optimiser's tensors and the run's state beside it. Equal states
/// give equal bytes. Errors: RuntimeFailure where a weight or moment is not finite: such a file could not be read
/// again.
inline std::string checkpoint_to_bytes(const Checkpoint& checkpoint) {
  const Graph& graph = checkpoint.model.graph();
  for (std::size_t id = 0; id < checkpoint.model.parameters().size(); ++id) {
    detail::require_finite_values(checkpoint.model.parameters()[id].values,
                                  parameter_name(graph, static_cast<int>(id)));
  }
  Json state = {{"step", checkpoint.step},
                {"best_score", checkpoint.best_score},
                {"options", train_options_to_json(checkpoint.options)},
                {"epoch_losses", checkpoint.epoch_losses},
                {"epoch_steps", checkpoint.epoch_steps}};
  if (checkpoint.epoch_losses.empty()) state["epoch_losses"] = std::vector<double>(graph.outputs.size(), 0.0);
  if (!checkpoint.people.empty()) state["people"] = checkpoint.people;
  TensorFile file = parse_safetensors(checkpoint.model.to_bytes(), "model");
  file.metadata[detail::training_note] = write_json<RuntimeFailure>(state, "checkpoint");
  const auto add = [&](const char* prefix, const std::vector<std::vector<float>>& moments) {
    for (std::size_t id = 0; id < moments.size(); ++id) {
      if (moments[id].empty()) continue;
      NamedTensor entry{prefix + parameter_name(graph, static_cast<int>(id)), {}};
      detail::require_finite_values(moments[id], entry.name);
      entry.tensor.shape = {static_cast<std::int64_t>(moments[id].size())};
      entry.tensor.values = moments[id];
      file.tensors.push_back(std::move(entry));
    }
  };
  add(detail::first_prefix, checkpoint.first);
  add(detail::second_prefix, checkpoint.second);
  return write_safetensors(file);
}

/// Errors: ModelError naming `where` and the field.
inline Checkpoint checkpoint_from_file(TensorFile file, const std::string& where, const OpSet& ops = OpSet()) {
  const auto note = file.metadata.find(detail::training_note);
  if (note == file.metadata.end()) {
    fail<ModelError>({.where = where,
                      .expected = "a checkpoint of a training run",
                      .got = "a model without training state",
                      .remedy = "resume from ckpt/last.safetensors of the run"});
  }
  const std::string at = where + ": " + detail::training_note;
  const Json state = parse_json<ModelError>(note->second, at);
  reject_unknown_keys<ModelError>(state, {"step", "best_score", "options", "epoch_losses", "epoch_steps", "people"},
                                  at);
  file.metadata.erase(note);
  std::vector<NamedTensor> moments;
  TensorFile weights;
  weights.metadata = std::move(file.metadata);
  for (NamedTensor& entry : file.tensors) {
    const bool moment = entry.name.starts_with(detail::first_prefix) || entry.name.starts_with(detail::second_prefix);
    (moment ? moments : weights.tensors).push_back(std::move(entry));
  }
  Checkpoint checkpoint{Model::from_file(std::move(weights), where, ops)};
  checkpoint.step = integer_member<ModelError>(state, "step", at, 0, std::int64_t{1} << 40);
  checkpoint.best_score = number_member<ModelError>(state, "best_score", at, -1, 1000);
  if (state.contains("people")) checkpoint.people = string_member<ModelError>(state, "people", at);
  try {
    checkpoint.options = train_options_from_json(member<ModelError>(state, "options", at), at + ".options");
  } catch (const UsageError& error) {
    throw ModelError(error.what());
  }
  detail::read_epoch_sums(state, at, checkpoint);
  const Graph& graph = checkpoint.model.graph();
  checkpoint.first = detail::take_moments(graph, moments, detail::first_prefix, where);
  checkpoint.second = detail::take_moments(graph, moments, detail::second_prefix, where);
  if (!moments.empty()) {
    fail<ModelError>(
        {.where = where, .expected = "moments of the network's parameters only", .got = moments.front().name});
  }
  return checkpoint;
}

inline Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& where, const OpSet& ops = OpSet()) {
  return checkpoint_from_file(parse_safetensors(bytes, where), where, ops);
}

/// Errors: RuntimeFailure where it cannot be written; the checkpoint that was there stays whole.
inline void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path,
                            const FileSystemCalls& calls = {}) {
  write_file_atomically(path, checkpoint_to_bytes(checkpoint), calls);
}

/// Errors: ModelError naming file and field.
inline Checkpoint load_checkpoint(const std::filesystem::path& path, const OpSet& ops = OpSet()) {
  return checkpoint_from_file(read_safetensors(path), path.string(), ops);
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
