// RunFolder: what a run leaves behind: configuration, metrics, checkpoints.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/trainer.hpp>

#include <cstdint>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// The folder of a run: config.json, metrics.jsonl (a line an epoch), ckpt/last.safetensors (to resume from) and
/// best.safetensors, model.safetensors (the last epoch's network alone).
class RunFolder {
 public:
  /// A new run. Errors: UsageError where the folder exists already: nothing is overwritten; RuntimeFailure where it cannot
  /// be made.
  static RunFolder create(std::filesystem::path path, const Json& config) {
    if (std::filesystem::exists(path)) {
      fail<UsageError>({.where = path.string(),
                        .expected = "a name that no run has yet",
                        .got = "a folder that exists",
                        .remedy = "choose another name, or go on with --resume"});
    }
    RunFolder folder(std::move(path));
    std::error_code error;
    std::filesystem::create_directories(folder.path_ / "ckpt", error);
    if (error) fail<RuntimeFailure>({.where = folder.path_.string(), .got = "cannot be made: " + error.message()});
    write_file_atomically(folder.path_ / "config.json", config.dump(2) + "\n");
    return folder;
  }

  /// A run that is to go on. Errors: UsageError where there is none.
  static RunFolder open(std::filesystem::path path) {
    RunFolder folder(std::move(path));
    if (!std::filesystem::exists(folder.last())) {
      fail<UsageError>({.where = folder.path_.string(),
                        .expected = "a run with ckpt/last.safetensors",
                        .got = "none",
                        .remedy = "start it without --resume"});
    }
    return folder;
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path last() const { return path_ / "ckpt" / "last.safetensors"; }
  std::filesystem::path best() const { return path_ / "ckpt" / "best.safetensors"; }
  std::filesystem::path model() const { return path_ / "model.safetensors"; }

  Json config() const {
    const std::filesystem::path file = path_ / "config.json";
    return parse_json<UsageError>(read_file<UsageError>(file, 16 << 20), file.string());
  }

  Checkpoint load() const { return load_checkpoint(last()); }

  /// Forgets metrics of epochs after the checkpoint: they will come again, the same.
  void rewind_metrics(int epochs_done) const {
    const std::filesystem::path file = path_ / "metrics.jsonl";
    if (!std::filesystem::exists(file)) return;
    const std::string text = read_file<RuntimeFailure>(file, std::uint64_t{1} << 30);
    std::string kept;
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string::npos) break;  // a line cut off by a crash
      const std::string_view line(text.data() + begin, end - begin);
      const Json json = parse_json<RuntimeFailure>(line, file.string());
      if (integer_member<RuntimeFailure>(json, "epoch", file.string(), 0, 1 << 30) <= epochs_done) kept.append(line) += '\n';
      begin = end + 1;
    }
    write_file_atomically(file, kept);
  }

  /// Stores what an event says.
  void on_event(const TrainEvent& event) const {
    using Kind = TrainEvent::Kind;
    if (event.kind == Kind::checkpoint) save_checkpoint(event.checkpoint(), last());
    if (event.kind == Kind::epoch) {
      append_metrics(event);
      if (event.best) event.checkpoint().model.save(best());
    }
    if (event.kind == Kind::finished) event.checkpoint().model.save(model());
  }

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  void append_metrics(const TrainEvent& event) const {
    Json line = {{"epoch", event.epoch}, {"step", event.step}, {"losses", event.losses}, {"rate", event.rate}};
    if (event.validation != nullptr) {
      Json stages = Json::array();
      for (const StageScores& stage : event.validation->stages) stages.push_back(stage.pck.mean);
      line["val_pck"] = event.validation->pck().mean;
      line["val_pck_per_stage"] = std::move(stages);
      line["val_pcp_strict"] = event.validation->pcp_strict().mean;
    }
    line["images_per_second"] = event.images_per_second;
    line["loader_wait"] = event.loader_wait;
    const std::filesystem::path file = path_ / "metrics.jsonl";
    std::string text;
    if (std::filesystem::exists(file)) text = read_file<RuntimeFailure>(file, std::uint64_t{1} << 30);
    write_file_atomically(file, text + line.dump() + "\n");
  }

  std::filesystem::path path_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
