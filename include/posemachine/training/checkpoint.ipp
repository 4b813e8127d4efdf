// The definitions of training/checkpoint.hpp.
#pragma once

#include <posemachine/training/checkpoint.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include <posemachine/base/json.hpp>
#include <posemachine/base/text.hpp>

#include <algorithm>
#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE Checkpoint without_moments(Checkpoint checkpoint) {
  checkpoint.moments.clear();
  checkpoint.optimizer_start = checkpoint.updates();
  return checkpoint;
}

namespace detail {

inline constexpr const char* average_prefix = "average/";

// Names that an optimiser may keep something under. Ours have 2 at most; each costs memory for every parameter, even
// where a file has but one empty tensor of that name.
inline constexpr std::size_t max_moments = 16;

inline std::string few_moments() {
  return "at most " + std::to_string(max_moments) + " names of what an optimiser keeps";
}

// Of the tensors that an optimiser keeps under a name.
inline std::string moments_prefix(std::string_view name) { return "optimizer." + std::string(name) + "/"; }

// What a checkpoint holds beside its model's weights, by name.
using TensorsByName = std::map<std::string, AnyTensor>;

// Tensors of one prefix, by parameter id, of the shape that `shape_of` gives; those taken leave `tensors`.
template <class ShapeOf>
std::vector<Tensor> take_tensors(const Graph& graph, TensorsByName& tensors, const std::string& prefix,
                                 const std::string& where, const ShapeOf& shape_of) {
  std::vector<Tensor> taken(graph.parameters.size());
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string name = prefix + parameter_name(graph, static_cast<int>(id));
    const auto found = tensors.find(name);
    if (found == tensors.end()) continue;
    const Shape shape = shape_of(id);
    Tensor* const floats = std::get_if<Tensor>(&found->second);
    if (floats == nullptr || floats->shape != shape) {
      fail<ModelError>({.where = where + ": " + name,
                        .expected = "floats of shape " + to_string(shape),
                        .got = std::string(name_of(type_of(found->second))) + " of " +
                               to_string(posemachine::shape_of(found->second))});
    }
    taken[id] = std::move(*floats);
    tensors.erase(found);
  }
  return taken;
}

// NAME of the tensor "optimizer.NAME/PARAMETER"; empty for other tensors.
POSEMACHINE_INLINE std::string_view moments_name(std::string_view tensor) {
  constexpr std::string_view begin = "optimizer.";
  const std::size_t slash = tensor.find('/');
  if (!tensor.starts_with(begin) || slash == std::string_view::npos) return {};
  return tensor.substr(begin.size(), slash - begin.size());
}

POSEMACHINE_INLINE void require_few_moments(const std::vector<OptimizerState>& moments) {
  if (moments.size() <= max_moments) return;
  fail<RuntimeFailure>({.where = "checkpoint", .expected = few_moments(), .got = std::to_string(moments.size())});
}

POSEMACHINE_INLINE void require_finite_values(const std::vector<float>& values, const std::string& name) {
  for (const float value : values) {
    if (std::isfinite(value)) continue;
    fail<RuntimeFailure>({.where = "checkpoint: " + name, .expected = "finite values", .got = std::to_string(value)});
  }
}

// Sums of the epoch under way; absent in checkpoints of earlier builds, which then count from the resumption.
POSEMACHINE_INLINE void read_epoch_sums(const Json& state, const std::string& where, Checkpoint& checkpoint) {
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
                      .expected = std::to_string(stages) + " numbers, one per stage",
                      .got = sums.dump().substr(0, 60)});
  }
}

// The names under which an optimiser keeps something, before anything is allocated for them.
POSEMACHINE_INLINE std::set<std::string> moments_names(const TensorsByName& tensors, const std::string& where) {
  std::set<std::string> names;
  for (const auto& [tensor, value] : tensors) {
    if (moments_name(tensor).empty()) continue;
    names.emplace(moments_name(tensor));
    if (names.size() <= max_moments) continue;
    fail<ModelError>({.where = where + ": " + excerpt(tensor, 100), .expected = few_moments(), .got = "another one"});
  }
  return names;
}

// The optimiser's tensors, whatever their names.
POSEMACHINE_INLINE std::vector<OptimizerState> take_moments(const Graph& graph, TensorsByName& tensors,
                                                            const std::string& where) {
  const std::set<std::string> names = moments_names(tensors, where);
  const auto flat = [&](std::size_t id) { return Shape{graph.parameters[id].size()}; };
  std::vector<OptimizerState> moments;
  for (const std::string& name : names) {
    moments.push_back({name, {}});
    for (Tensor& tensor : take_tensors(graph, tensors, moments_prefix(name), where, flat)) {
      moments.back().values.push_back(std::move(tensor.values));
    }
  }
  return moments;
}

// All of the averages, or none. Errors: ModelError where some are missing.
POSEMACHINE_INLINE std::vector<Tensor> take_average(const Model& model, TensorsByName& tensors,
                                                    const std::string& where) {
  const auto like_weights = [&](std::size_t id) { return model.parameters()[id].shape; };
  std::vector<Tensor> average = take_tensors(model.graph(), tensors, average_prefix, where, like_weights);
  const auto is_missing = [](const Tensor& each) { return each.values.empty(); };
  const auto missing = std::find_if(average.begin(), average.end(), is_missing);
  if (missing == average.end()) {
    (void)model.with_parameters(average);  // refuses what weights cannot be, as a negative variance
    return average;
  }
  const bool none = std::all_of(average.begin(), average.end(), is_missing);
  if (!none) {
    const auto id = static_cast<int>(missing - average.begin());
    fail<ModelError>({.where = where,
                      .expected = "an average of every tensor, or of none",
                      .got = "none of " + parameter_name(model.graph(), id)});
  }
  return {};
}

// What earlier builds did not write keeps its default.
POSEMACHINE_INLINE void read_control(const Json& state, const std::string& where, Checkpoint& checkpoint) {
  if (state.contains("watch")) {
    const Json& watch = member<ModelError>(state, "watch", where);
    if (!watch.is_object()) {
      fail<ModelError>({.where = where + ".watch", .expected = "an object", .got = watch.type_name()});
    }
    checkpoint.plateau = plateau_monitor_from_json(watch, where + ".watch");
  }
  if (state.contains("rate_factor")) {
    checkpoint.rate_factor = number_member<ModelError>(state, "rate_factor", where, 0, 1);
  }
  if (state.contains("skipped")) {
    checkpoint.skipped = integer_member<ModelError>(state, "skipped", where, 0, checkpoint.step);
  }
  if (state.contains("optimizer_start")) {
    checkpoint.optimizer_start = integer_member<ModelError>(state, "optimizer_start", where, 0, checkpoint.updates());
  }
  if (state.contains("skipped_in_a_row")) {
    checkpoint.skipped_in_a_row =
        static_cast<int>(integer_member<ModelError>(state, "skipped_in_a_row", where, 0, 1 << 20));
  }
}

}  // namespace detail

POSEMACHINE_INLINE std::string checkpoint_to_bytes(const Checkpoint& checkpoint) {
  const Graph& graph = checkpoint.model.graph();
  detail::require_few_moments(checkpoint.moments);
  for (std::size_t id = 0; id < checkpoint.model.parameters().size(); ++id) {
    detail::require_finite_values(checkpoint.model.parameters()[id].values,
                                  parameter_name(graph, static_cast<int>(id)));
  }
  Json state = {{"step", checkpoint.step},
                {"best_score", checkpoint.best_score},
                {"options", train_options_to_json(checkpoint.options)},
                {"epoch_losses", checkpoint.epoch_losses},
                {"epoch_steps", checkpoint.epoch_steps},
                {"watch", plateau_monitor_to_json(checkpoint.plateau)},
                {"rate_factor", checkpoint.rate_factor},
                {"skipped", checkpoint.skipped},
                {"skipped_in_a_row", checkpoint.skipped_in_a_row}};
  if (checkpoint.epoch_losses.empty()) state["epoch_losses"] = std::vector<double>(graph.outputs.size(), 0.0);
  if (!checkpoint.people.empty()) state["people"] = checkpoint.people;
  if (checkpoint.optimizer_start > 0) state["optimizer_start"] = checkpoint.optimizer_start;
  TensorFile file = parse_safetensors(checkpoint.model.to_bytes(), "model");
  file.metadata[detail::training_note] = write_json<RuntimeFailure>(state, "checkpoint");
  const auto add = [&](const std::string& prefix, std::size_t id, Shape shape, const std::vector<float>& values) {
    if (values.empty()) return;
    NamedTensor entry{prefix + parameter_name(graph, static_cast<int>(id)), {}};
    detail::require_finite_values(values, entry.name);
    Tensor tensor;
    tensor.shape = std::move(shape);
    tensor.values = values;
    entry.tensor = std::move(tensor);
    file.tensors.push_back(std::move(entry));
  };
  const auto flat = [](const std::vector<float>& values) { return Shape{static_cast<std::int64_t>(values.size())}; };
  for (const auto& [name, values] : checkpoint.moments) {
    for (std::size_t id = 0; id < values.size(); ++id) {
      add(detail::moments_prefix(name), id, flat(values[id]), values[id]);
    }
  }
  for (std::size_t id = 0; id < checkpoint.average.size(); ++id) {
    add(detail::average_prefix, id, checkpoint.average[id].shape, checkpoint.average[id].values);
  }
  return write_safetensors(file);
}

POSEMACHINE_INLINE Checkpoint checkpoint_from_file(TensorFile file, const std::string& where, const OpSet& ops) {
  const auto note = file.metadata.find(detail::training_note);
  if (note == file.metadata.end()) {
    fail<ModelError>({.where = where,
                      .expected = "a checkpoint of a training run",
                      .got = "a model without training state",
                      .remedy = "resume from ckpt/last.safetensors of the run"});
  }
  const std::string at = where + ": " + detail::training_note;
  const Json state = parse_json<ModelError>(note->second, at);
  reject_unknown_keys<ModelError>(state,
                                  {"step", "best_score", "options", "epoch_losses", "epoch_steps", "people", "watch",
                                   "rate_factor", "skipped", "skipped_in_a_row", "optimizer_start"},
                                  at);
  file.metadata.erase(note);
  detail::TensorsByName others;
  TensorFile weights;
  weights.metadata = std::move(file.metadata);
  for (NamedTensor& entry : file.tensors) {
    const bool weight = detail::moments_name(entry.name).empty() && !entry.name.starts_with(detail::average_prefix);
    if (weight) {
      weights.tensors.push_back(std::move(entry));
    } else {
      others.emplace(std::move(entry.name), std::move(entry.tensor));  // a file has every name once
    }
  }
  Checkpoint checkpoint{Model::from_file(std::move(weights), where, ops)};
  checkpoint.step = integer_member<ModelError>(state, "step", at, 0, std::int64_t{1} << 40);
  checkpoint.best_score = number_member<ModelError>(state, "best_score", at, -1, 1000);
  if (state.contains("people")) checkpoint.people = string_member<ModelError>(state, "people", at);
  try {
    checkpoint.options = detail::read_train_options(member<ModelError>(state, "options", at), at + ".options", {});
  } catch (const UsageError& error) {
    throw ModelError(error.what());
  }
  detail::read_epoch_sums(state, at, checkpoint);
  detail::read_control(state, at, checkpoint);
  const Graph& graph = checkpoint.model.graph();
  checkpoint.moments = detail::take_moments(graph, others, where);
  checkpoint.average = detail::take_average(checkpoint.model, others, where);
  if (!others.empty()) {
    fail<ModelError>({.where = where,
                      .expected = "moments and averages of the network's parameters only",
                      .got = others.begin()->first});
  }
  return checkpoint;
}

POSEMACHINE_INLINE Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& where,
                                                    const OpSet& ops) {
  return checkpoint_from_file(parse_safetensors(bytes, where), where, ops);
}

POSEMACHINE_INLINE void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path,
                                        const FileSystemCalls& calls) {
  write_file_atomically(path, checkpoint_to_bytes(checkpoint), calls);
}

POSEMACHINE_INLINE Checkpoint load_checkpoint(const std::filesystem::path& path, const OpSet& ops) {
  return checkpoint_from_file(read_safetensors(path), path.string(), ops);
}

POSEMACHINE_INLINE Model trained_from_file(TensorFile file, const std::string& where, const OpSet& ops) {
  if (!is_checkpoint(file)) return Model::from_file(std::move(file), where, ops);
  Checkpoint checkpoint = checkpoint_from_file(std::move(file), where, ops);
  return checkpoint.average.empty() ? checkpoint.model
                                    : checkpoint.model.with_parameters(std::move(checkpoint.average));
}

POSEMACHINE_INLINE Model load_trained(const std::filesystem::path& path, const OpSet& ops) {
  return trained_from_file(read_safetensors(path), path.string(), ops);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
