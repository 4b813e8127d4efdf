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
  TrainOptions options;
  std::int64_t step = 0;                         // steps done
  double best_score = -1;                        // of validation so far; -1: none yet
  std::vector<std::vector<float>> first;         // the optimiser's, by parameter id
  std::vector<std::vector<float>> second;
};

namespace detail {
inline constexpr const char* training_note = "posemachine.training";
inline constexpr const char* first_prefix = "optimizer.first/";
inline constexpr const char* second_prefix = "optimizer.second/";
}  // namespace detail

/// The bytes of a checkpoint: the model's file with the optimiser's tensors and the run's state beside it.
inline std::string checkpoint_to_bytes(const Checkpoint& checkpoint) {
  const Json state = {{"step", checkpoint.step},
                      {"best_score", checkpoint.best_score},
                      {"options", train_options_to_json(checkpoint.options)}};
  TensorFile file = parse_safetensors(checkpoint.model.to_bytes(), "model");
  file.metadata[detail::training_note] = state.dump();
  const Graph& graph = checkpoint.model.graph();
  const auto add = [&](const char* prefix, const std::vector<std::vector<float>>& moments) {
    for (std::size_t id = 0; id < moments.size(); ++id) {
      if (moments[id].empty()) continue;
      NamedTensor entry{prefix + parameter_name(graph, static_cast<int>(id)), {}};
      entry.tensor.shape = {static_cast<std::int64_t>(moments[id].size())};
      entry.tensor.values = moments[id];
      file.tensors.push_back(std::move(entry));
    }
  };
  add(detail::first_prefix, checkpoint.first);
  add(detail::second_prefix, checkpoint.second);
  return write_safetensors(file);
}

/// Errors: ModelError naming file and field.
inline Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& where) {
  TensorFile file = parse_safetensors(bytes, where);
  const auto note = file.metadata.find(detail::training_note);
  if (note == file.metadata.end()) {
    fail<ModelError>({.where = where,
                      .expected = "a checkpoint of a training run",
                      .got = "a model without training state",
                      .remedy = "resume from ckpt/last.safetensors of the run"});
  }
  const std::string at = where + ": " + detail::training_note;
  const Json state = parse_json<ModelError>(note->second, at);
  file.metadata.erase(note);
  TensorFile moments;
  TensorFile weights;
  weights.metadata = std::move(file.metadata);
  for (NamedTensor& entry : file.tensors) {
    const bool moment = entry.name.starts_with(detail::first_prefix) || entry.name.starts_with(detail::second_prefix);
    (moment ? moments : weights).tensors.push_back(std::move(entry));
  }
  Checkpoint checkpoint{Model::from_file(std::move(weights), where), {}, 0, -1, {}, {}};
  checkpoint.step = integer_member<ModelError>(state, "step", at, 0, std::int64_t{1} << 40);
  checkpoint.best_score = number_member<ModelError>(state, "best_score", at, -1, 1000);
  try {
    checkpoint.options = train_options_from_json(member<ModelError>(state, "options", at), at + ".options");
  } catch (const UsageError& error) {
    throw ModelError(error.what());
  }
  const Graph& graph = checkpoint.model.graph();
  for (std::size_t id = 0; id < graph.parameters.size(); ++id) {
    const std::string name = parameter_name(graph, static_cast<int>(id));
    const auto size = static_cast<std::size_t>(graph.parameters[id].size());
    const auto take = [&](const char* prefix) -> std::vector<float> {
      const Tensor* tensor = moments.find(prefix + name);
      if (tensor == nullptr) return {};
      if (tensor->values.size() != size) {
        fail<ModelError>({.where = where + ": " + prefix + name,
                          .expected = std::to_string(size) + " values",
                          .got = std::to_string(tensor->values.size())});
      }
      return tensor->values;
    };
    checkpoint.first.push_back(take(detail::first_prefix));
    checkpoint.second.push_back(take(detail::second_prefix));
  }
  return checkpoint;
}

/// Errors: RuntimeFailure where it cannot be written; the checkpoint that was there stays whole.
inline void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path,
                            const FileSystemCalls& calls = {}) {
  write_file_atomically(path, checkpoint_to_bytes(checkpoint), calls);
}

inline Checkpoint load_checkpoint(const std::filesystem::path& path) {
  return checkpoint_from_bytes(read_file<ModelError>(path, std::uint64_t{4} << 30), path.string());
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
