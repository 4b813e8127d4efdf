// The definitions of training/run_folder.hpp.
#pragma once

#include <posemachine/training/run_folder.hpp>

#include <posemachine/core/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void RunFolder::require_new(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) refuse_existing(path);
}

POSEMACHINE_INLINE RunFolder RunFolder::create(std::filesystem::path path, const Json& config,
                                               const FileSystemCalls& calls) {
  RunFolder folder(std::move(path), calls);
  std::error_code error;
  if (folder.path_.has_parent_path()) std::filesystem::create_directories(folder.path_.parent_path(), error);
  // One call both looks and makes: of two runs of one name that start together, one is refused.
  const bool made = !error && std::filesystem::create_directory(folder.path_, error);
  if (!made && !error) refuse_existing(folder.path_);
  if (!error) std::filesystem::create_directory(folder.path_ / "ckpt", error);
  if (error) fail<RuntimeFailure>({.where = folder.path_.string(), .got = "cannot be made: " + error.message()});
  folder.take_lock();
  write_file_atomically(folder.path_ / "config.json", write_json(config, "config.json", 2) + "\n", calls);
  return folder;
}

POSEMACHINE_INLINE RunFolder RunFolder::open(std::filesystem::path path, const FileSystemCalls& calls) {
  RunFolder folder(std::move(path), calls);
  std::error_code error;
  if (std::filesystem::exists(folder.last(), error)) {
    folder.take_lock();
    for (const char* part : {"", "ckpt", "pictures"}) remove_unfinished_files(folder.path_ / part);
    return folder;
  }
  const bool begun = std::filesystem::exists(folder.path_, error);
  fail<UsageError>(
      {.where = folder.path_.string(),
       .expected = "a run with ckpt/last.safetensors",
       .got = begun ? "a folder without one" : "none",
       .remedy = begun ? "nothing was trained: remove the folder and start again without --resume"
                       : "look into the folder that runs are kept in (--runs), or start it without --resume"});
}

POSEMACHINE_INLINE Json RunFolder::config() const {
  const std::filesystem::path file = path_ / "config.json";
  JsonLimits limits;  // larger than those of the files it was made from: they stand in it indented
  limits.bytes *= 4;
  limits.depth += 4;
  return parse_json<UsageError>(read_file<UsageError>(file, limits.bytes), file.string(), limits);
}

POSEMACHINE_INLINE std::vector<Json> RunFolder::metrics() const {
  std::vector<Json> lines;
  std::error_code error;
  if (!std::filesystem::exists(metrics_file(), error)) return lines;
  const std::string text = read_file<RuntimeFailure>(metrics_file(), std::uint64_t{1} << 30);
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string where = metrics_file().string() + ", line " + std::to_string(lines.size() + 1);
    lines.push_back(parse_json<RuntimeFailure>(std::string_view(text).substr(begin, end - begin), where));
  }
  return lines;
}

POSEMACHINE_INLINE void RunFolder::rewind_metrics(int epochs_done) const {
  std::string kept;
  for (const Json& line : metrics()) {
    const std::int64_t epoch = integer_member<RuntimeFailure>(line, "epoch", metrics_file().string(), 0, 1 << 30);
    if (epoch <= epochs_done) kept += write_json(line, "metrics.jsonl") + "\n";
  }
  std::error_code error;
  if (std::filesystem::exists(metrics_file(), error)) write_file_atomically(metrics_file(), kept, calls_);
}

POSEMACHINE_INLINE void RunFolder::on_event(const TrainEvent& event) const {
  using Kind = TrainEvent::Kind;
  if (event.kind == Kind::checkpoint) store(event.checkpoint(), event.step % event.steps_per_epoch == 0);
  if (event.kind == Kind::epoch) {
    append_metrics(event);
    if (event.best) write_file_atomically(best(), event.result().to_bytes(), calls_);
  }
  if (event.kind == Kind::finished) write_file_atomically(model(), event.result().to_bytes(), calls_);
}

POSEMACHINE_INLINE std::vector<std::filesystem::path> RunFolder::epoch_checkpoints() const {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  const std::filesystem::path folder = path_ / "ckpt";
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with("step-") && name.ends_with(".safetensors")) found.push_back(at->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

POSEMACHINE_INLINE void RunFolder::take_lock() {
  lock_ = FolderLock::take(path_);
  if (lock_ != nullptr) return;
  fail<UsageError>({.where = path_.string(),
                    .expected = "a run that is not under way",
                    .got = "one that another process trains",
                    .remedy = "wait for it to end, or stop it"});
}

POSEMACHINE_INLINE void RunFolder::refuse_existing(const std::filesystem::path& path) {
  fail<UsageError>({.where = path.string(),
                    .expected = "a name that no run has yet",
                    .got = "a folder that exists",
                    .remedy = "choose another name, or go on with --resume"});
}

POSEMACHINE_INLINE void RunFolder::store(const Checkpoint& checkpoint, bool ends_epoch) const {
  const std::string bytes = checkpoint_to_bytes(checkpoint);
  const int keep = checkpoint.options.keep_checkpoints;
  if (ends_epoch && keep > 0 && checkpoint.step > 0) {
    std::string number = std::to_string(checkpoint.step);
    number.insert(0, number.size() < 8 ? 8 - number.size() : 0, '0');
    write_file_atomically(path_ / "ckpt" / ("step-" + number + ".safetensors"), bytes, calls_);
    const std::vector<std::filesystem::path> all = epoch_checkpoints();
    std::error_code ignored;  // one that cannot be removed takes room, no more
    for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < all.size(); ++i) {
      std::filesystem::remove(all[i], ignored);
    }
  }
  write_file_atomically(last(), bytes, calls_);
}

POSEMACHINE_INLINE void RunFolder::append_metrics(const TrainEvent& event) const {
  Json losses = Json::array();
  for (const double loss : event.losses) losses.push_back(std::isfinite(loss) ? Json(loss) : Json());
  Json line = {{"epoch", event.epoch}, {"step", event.step}, {"losses", losses}, {"rate", event.rate}};
  for (const OutputLoss& each : event.output_losses) {
    line["output_losses"][each.name] = std::isfinite(each.value) ? Json(each.value) : Json();
  }
  if (event.skipped_steps > 0) line["skipped_steps"] = event.skipped_steps;
  if (event.validation != nullptr) {
    Json stages = Json::array();
    const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
    for (const std::vector<MetricResult>& stage : event.validation->stages) {
      stages.push_back(number(stage.front().mean));
    }
    for (const Metric& metric : event.validation->metrics) {
      line["val_" + metric.key] = number(event.validation->find(metric.key)->mean);
    }
    line["val_pck_per_stage"] = std::move(stages);
  }
  line["images_per_second"] = event.images_per_second;
  line["loader_wait"] = event.loader_wait;
  // Written anew as a whole: a line is there or not, never in part. An epoch takes minutes, a line 300 bytes.
  std::string text;
  for (const Json& before : metrics()) text += write_json(before, "metrics.jsonl") + "\n";
  write_file_atomically(metrics_file(), text + write_json<RuntimeFailure>(line, "metrics.jsonl") + "\n", calls_);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
