// The definitions of training/tensorboard_log.hpp.
#pragma once

#include <posemachine/training/tensorboard_log.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/training/validation_pictures.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE TensorBoardLog::TensorBoardLog(std::filesystem::path folder, std::int64_t step,
                                                  const TensorBoardOptions& options, const FileSystemCalls& calls)
    : folder_(std::move(folder)), options_(options) {
  const bool goes_on = has_event_file();
  file_ = std::make_unique<EventFile>(folder_, calls);
  if (goes_on) file_->restart_at(step);
}

POSEMACHINE_INLINE void TensorBoardLog::on_event(const TrainEvent& event) {
  using Kind = TrainEvent::Kind;
  if (event.kind == Kind::step && event.step % std::max(1, options_.log_steps) == 0) add_step(event);
  if (event.kind == Kind::epoch) add_epoch(event);
}

POSEMACHINE_INLINE bool TensorBoardLog::has_event_file() const {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with("events.out.tfevents.")) return true;
  }
  return false;
}

POSEMACHINE_INLINE std::string TensorBoardLog::plain_name(std::string name) {
  for (char& character : name) {
    if (character < ' ' || character > '~') character = '_';
  }
  return name;
}

POSEMACHINE_INLINE void TensorBoardLog::add_step(const TrainEvent& event) {
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

POSEMACHINE_INLINE void TensorBoardLog::add_epoch(const TrainEvent& event) {
  for (std::size_t stage = 0; stage < event.losses.size(); ++stage) {
    file_->scalar("epoch loss/" + stage_name(stage), event.step, event.losses[stage]);
  }
  add_outputs("epoch loss/", event);
  if (event.validation != nullptr) add_validation(*event.validation, event.step);
  if (event.estimator != nullptr) add_pictures(event);
}

POSEMACHINE_INLINE void TensorBoardLog::add_outputs(const std::string& prefix, const TrainEvent& event) {
  for (const OutputLoss& each : event.output_losses) {
    file_->scalar(prefix + plain_name(each.name), event.step, each.value);
  }
}

POSEMACHINE_INLINE void TensorBoardLog::add_validation(const EvaluationResult& result, std::int64_t step) {
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

POSEMACHINE_INLINE void TensorBoardLog::add_finite(const std::string& name, std::int64_t step, double value) {
  if (std::isfinite(value)) file_->scalar(name, step, value);
}

POSEMACHINE_INLINE void TensorBoardLog::add_pictures(const TrainEvent& event) {
  const std::size_t count = std::min(event.people.size(), static_cast<std::size_t>(options_.pictures));
  if (count == 0) return;
  const std::filesystem::path folder = folder_ / "pictures";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail<RuntimeFailure>({.where = folder.string(), .got = "cannot be made: " + error.message()});
  for (std::size_t i = 0; i < count; ++i) {
    if (event.damaged != nullptr && event.damaged->contains(event.people[i].image)) continue;
    ValidationPictures drawn;
    try {
      drawn = draw_validation(*event.estimator, event.people[i]);
    } catch (const DataError&) {  // deleted since it was validated
      continue;
    }
    const std::string name = "person-" + std::to_string(i + 1);
    file_->picture("poses/" + name, event.step, drawn.pose);
    write_png(folder / (name + ".png"), drawn.pose);
    for (std::size_t stage = 0; stage < drawn.stages.size(); ++stage) {
      file_->picture("heatmaps of " + name + "/" + stage_name(stage), event.step, drawn.stages[stage]);
      write_png(folder / (name + "-stage-" + std::to_string(stage + 1) + ".png"), drawn.stages[stage]);
    }
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
