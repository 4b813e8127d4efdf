// TensorBoardLog: what a run says, for TensorBoard to show.
#pragma once

#include <posemachine/base/files.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/training/event_file.hpp>
#include <posemachine/training/train_event.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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
                 const FileSystemCalls& calls = {});

  void on_event(const TrainEvent& event);

 private:
  bool has_event_file() const;

  // A name of a joint set's as a tag may have it.
  static std::string plain_name(std::string name);

  static std::string stage_name(std::size_t stage) { return "stage " + std::to_string(stage + 1); }

  void add_step(const TrainEvent& event);

  void add_epoch(const TrainEvent& event);

  void add_outputs(const std::string& prefix, const TrainEvent& event);

  void add_validation(const EvaluationResult& result, std::int64_t step);

  // A figure of nobody is no number.
  void add_finite(const std::string& name, std::int64_t step, double value);

  void add_pictures(const TrainEvent& event);

  std::filesystem::path folder_;
  TensorBoardOptions options_;
  std::unique_ptr<EventFile> file_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/tensorboard_log.ipp>
#endif
