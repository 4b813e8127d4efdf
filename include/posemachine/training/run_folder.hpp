// RunFolder: what a run leaves behind: configuration, metrics, checkpoints.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/train_event.hpp>

#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// The folder of a run: config.json, metrics.jsonl (a line an epoch), ckpt/last.safetensors (to resume from), ckpt/
/// best.safetensors (the network with the best validation), ckpt/step-00001234.safetensors (checkpoints at the ends of
/// the latest epochs, as many as keep_checkpoints), model.safetensors (the last epoch's network alone). While a
/// RunFolder lives, the run is its own: another process that opens it is refused.
class RunFolder {
 public:
  /// Errors: UsageError where the folder exists already: nothing is overwritten.
  static void require_new(const std::filesystem::path& path);

  /// A new run. Errors: as require_new; RuntimeFailure where it cannot be made.
  /// `calls`: what all files but locks are written by.
  static RunFolder create(std::filesystem::path path, const Json& config, const FileSystemCalls& calls = {});

  /// A run that is to go on; what a killed process left half-written in it goes. Errors: UsageError where there is
  /// none, or where it is under way.
  static RunFolder open(std::filesystem::path path, const FileSystemCalls& calls = {});

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path last() const { return path_ / "ckpt" / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "ckpt" / "best.safetensors"; }
  std::filesystem::path model() const { return path_ / "model.safetensors"; }

  /// Errors: UsageError naming the file.
  Json config() const;

  Checkpoint load(const OpSet& ops = OpSet()) const { return load_checkpoint(last(), ops); }

  /// The lines of metrics.jsonl, first epoch first; a line that a crash cut off is left out.
  /// Errors: RuntimeFailure naming the file.
  std::vector<Json> metrics() const;

  /// Forgets metrics of epochs after the checkpoint: they will come again, the same.
  void rewind_metrics(int epochs_done) const;

  /// Stores what an event says.
  void on_event(const TrainEvent& event) const;

  /// The checkpoints of epochs that are kept besides last and best, earliest first.
  std::vector<std::filesystem::path> epoch_checkpoints() const;

 private:
  RunFolder(std::filesystem::path path, const FileSystemCalls& calls) : path_(std::move(path)), calls_(calls) {}

  void take_lock();

  [[noreturn]] static void refuse_existing(const std::filesystem::path& path);

  std::filesystem::path metrics_file() const { return path_ / "metrics.jsonl"; }

  void store(const Checkpoint& checkpoint, bool ends_epoch) const;

  void append_metrics(const TrainEvent& event) const;

  std::filesystem::path path_;
  FileSystemCalls calls_;
  std::shared_ptr<const FolderLock> lock_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/run_folder.ipp>
#endif
