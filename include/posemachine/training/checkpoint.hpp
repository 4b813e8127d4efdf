// A checkpoint: everything a run needs to go on as if it had never stopped.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/training/optimizers/optimizer_kind.hpp>
#include <posemachine/training/plateau_monitor.hpp>
#include <posemachine/training/train_options.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The state after `step` steps. Order of the data and all draws are functions of seed and step, so they need no state.
struct Checkpoint {
  Model model;
  TrainOptions options{};
  std::int64_t step = 0;                  // steps done
  double best_score = -1;                 // of validation so far; -1: none yet
  std::vector<OptimizerState> moments{};  // what the optimiser keeps; none where it begins
  std::vector<double> epoch_losses{};     // of the epoch under way, by output: sums over its steps
  std::int64_t epoch_steps = 0;           // ... and how many these are
  std::string people{};                   // digest of the training set; empty: not known
  std::vector<Tensor> average{};          // of the weights, by parameter id; none: not kept
  PlateauMonitor plateau{};               // over the epochs' scores
  double rate_factor = 1;                 // what plateaus and steps that were not finite left of the rate
  std::int64_t skipped = 0;               // steps that were not finite so far ...
  int skipped_in_a_row = 0;               // ... and those up to now without another between
  std::int64_t optimizer_start = 0;       // updates that were made before the optimiser began from nothing

  /// Updates of the weights so far.
  std::int64_t updates() const { return step - skipped; }
};

/// The same state with an optimiser that begins from nothing: a third to a half of the bytes, for carrying a run
/// elsewhere. What follows differs from what would have followed, as it would with other images.
Checkpoint without_moments(Checkpoint checkpoint);

namespace detail {

inline constexpr const char* training_note = "posemachine.training";

}  // namespace detail

/// The bytes of a checkpoint: the model's file with the optimiser's tensors and the run's state beside it. Equal states
/// give equal bytes. Errors: RuntimeFailure where a weight or moment is not finite, or moments have more than 16 names:
/// such a file could not be read again.
std::string checkpoint_to_bytes(const Checkpoint& checkpoint);

/// What the options name, as a loss of a user's own, is the Trainer's question: a network can be used without it.
/// Errors: ModelError naming `where` and the field.
Checkpoint checkpoint_from_file(TensorFile file, const std::string& where, const OpSet& ops = OpSet());

Checkpoint checkpoint_from_bytes(std::string_view bytes, const std::string& where, const OpSet& ops = OpSet());

/// Errors: RuntimeFailure where it cannot be written; the checkpoint that was there stays whole.
void save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path,
                     const FileSystemCalls& calls = {});

/// Errors: ModelError naming file and field.
Checkpoint load_checkpoint(const std::filesystem::path& path, const OpSet& ops = OpSet());

/// Whether a file has the state of a run beside the network, and not the network alone.
inline bool is_checkpoint(const TensorFile& file) { return file.metadata.contains(detail::training_note); }

/// The network of a model file, or of a checkpoint: of averaged weights where it keeps them.
/// Errors: ModelError naming file and field.
Model trained_from_file(TensorFile file, const std::string& where, const OpSet& ops = OpSet());

/// The same of a file by its name. Errors: ModelError naming file and field.
Model load_trained(const std::filesystem::path& path, const OpSet& ops = OpSet());

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/checkpoint.ipp>
#endif
