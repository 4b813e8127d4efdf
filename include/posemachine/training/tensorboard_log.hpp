// TensorBoardLog: what a run says, for TensorBoard to show.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/training/event_file.hpp>
#include <posemachine/training/train_event.hpp>
#include <posemachine/training/validation_pictures.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

struct TensorBoardOptions {
  int log_steps = 10;  // steps between the numbers of steps; those of epochs are all there
  int pictures = 2;    // people drawn at each validation
};

/// Writes losses by stage, rate, length of the gradient and speed every few steps; validation by stage and group of
/// joints; and of the first people of validation what every stage makes of them, in the event file and as the latest
/// pictures in pictures/ (person-1.png, person-1-stage-2.png). A run that goes on begins another file of the same
/// folder, which takes back what was said of later steps. Errors: RuntimeFailure where a file cannot be written,
/// DataError for a photograph that cannot be read.
class TensorBoardLog {
 public:
  /// `step`: how many are done.
  TensorBoardLog(std::filesystem::path folder, std::int64_t step, const TensorBoardOptions& options = {},
                 const FileSystemCalls& calls = {})
      : folder_(std::move(folder)), options_(options) {
    const bool goes_on = has_event_file();
    file_ = std::make_unique<EventFile>(folder_, calls);
    if (goes_on) file_->restart_at(step);
  }

  void on_event(const TrainEvent& event) {
    using Kind = TrainEvent::Kind;
    if (event.kind == Kind::step && event.step % std::max(1, options_.log_steps) == 0) add_step(event);
    if (event.kind == Kind::epoch) add_epoch(event);
  }

 private:
  bool has_event_file() const {
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
      if (at->path().filename().string().starts_with("events.out.tfevents.")) return true;
    }
    return false;
  }

  // A name of a joint set's as a tag may have it.
  static std::string plain_name(std::string name) {
    for (char& character : name) {
      if (character < ' ' || character > '~') character = '_';
    }
    return name;
  }

  static std::string stage_name(std::size_t stage) { return "stage " + std::to_string(stage + 1); }

  void add_step(const TrainEvent& event) {
    double total = 0;
    for (std::size_t stage = 0; stage < event.losses.size(); ++stage) {
      file_->scalar("loss/" + stage_name(stage), event.step, event.losses[stage]);
      total += event.losses[stage];
    }
    file_->scalar("loss/all stages", event.step, total);
    add_outputs("loss/", event);
    file_->scalar("training/rate", event.step, event.rate);
    file_->scalar("training/gradient norm", event.step, event.gradient_norm);
    file_->scalar("training/skipped steps", event.step, static_cast<double>(event.skipped_steps));
    file_->scalar("speed/images per second", event.step, event.images_per_second);
    file_->scalar("speed/share of time waiting for data", event.step, event.loader_wait);
  }

  void add_epoch(const TrainEvent& event) {
    for (std::size_t stage = 0; stage < event.losses.size(); ++stage) {
      file_->scalar("epoch loss/" + stage_name(stage), event.step, event.losses[stage]);
    }
    add_outputs("epoch loss/", event);
    if (event.validation != nullptr) add_validation(*event.validation, event.step);
    if (event.estimator != nullptr) add_pictures(event);
  }

  void add_outputs(const std::string& prefix, const TrainEvent& event) {
    for (const OutputLoss& each : event.output_losses) {
      file_->scalar(prefix + plain_name(each.name), event.step, each.value);
    }
  }

  void add_validation(const EvaluationResult& result, std::int64_t step) {
    const auto title = [&](std::size_t metric) { return "validation " + plain_name(result.metrics[metric].title); };
    for (std::size_t stage = 0; stage < result.stages.size(); ++stage) {
      add_finite(title(0) + "/" + stage_name(stage), step, result.stages[stage][0].mean);
    }
    for (const MetricValue& group : result.stages.back()[0].groups) {
      add_finite(title(0) + " by joint/" + plain_name(group.name), step, group.value);
    }
    for (std::size_t m = 1; m < result.metrics.size(); ++m) {
      add_finite(title(m) + "/mean", step, result.stages.back()[m].mean);
    }
  }

  // A figure of nobody is no number.
  void add_finite(const std::string& name, std::int64_t step, double value) {
    if (std::isfinite(value)) file_->scalar(name, step, value);
  }

  void add_pictures(const TrainEvent& event) {
    const std::size_t count = std::min(event.people.size(), static_cast<std::size_t>(options_.pictures));
    if (count == 0) return;
    const std::filesystem::path folder = folder_ / "pictures";
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) fail<RuntimeFailure>({.where = folder.string(), .got = "cannot be made: " + error.message()});
    for (std::size_t i = 0; i < count; ++i) {
      if (event.damaged != nullptr && event.damaged->contains(event.people[i].image)) continue;
      const ValidationPictures drawn = draw_validation(*event.estimator, event.people[i]);
      const std::string name = "person-" + std::to_string(i + 1);
      file_->picture("poses/" + name, event.step, drawn.pose);
      write_png(folder / (name + ".png"), drawn.pose);
      for (std::size_t stage = 0; stage < drawn.stages.size(); ++stage) {
        file_->picture("heatmaps of " + name + "/" + stage_name(stage), event.step, drawn.stages[stage]);
        write_png(folder / (name + "-stage-" + std::to_string(stage + 1) + ".png"), drawn.stages[stage]);
      }
    }
  }

  std::filesystem::path folder_;
  TensorBoardOptions options_;
  std::unique_ptr<EventFile> file_;
};

}  // namespace posemachine::inline POSEMACHINE_BUILD
