// evaluate: a model measured on annotated people, from the images alone.
#pragma once

#include <posemachine/base/shard.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_io_format.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct EvaluateOptions {
  int threads = 1;                // images at a time, each with a network of one thread: the result is the same for any
  std::vector<Metric> metrics{};  // of the model's joint set; none: default_metrics()
  ImageLimits limits;             // of one photograph
  // Where photographs that are damaged or absent are noted, and their people left out; null: the first one is an error.
  std::shared_ptr<DamagedImages> damaged{};
  Shard shard;  // of the people, the share to measure; merge() puts the results of all shares together
  // Called after every image, from any of the threads but one at a time. What it throws ends the evaluation.
  std::function<void(int done, int count)> progress;
};

/// Figures, and the people and estimates from which alone they follow.
struct EvaluationResult {
  int people = 0;
  int left_out = 0;                               // of them, because their photographs are damaged or absent
  std::vector<Metric> metrics;                    // the first one is what a training run is judged by
  std::vector<std::vector<MetricResult>> stages;  // (stages, metrics): first stage first; the last is the answer
  std::vector<MeasuredPerson> measured;           // in the order of the people
  std::vector<std::vector<Keypoints>> estimates;  // (stages, people); empty for those who were left out
  std::vector<Pose> poses;                        // of the last stage, in the order of the people

  /// Of the last stage, the result of the first metric of this kind; null where it was not measured.
  const MetricResult* find(std::string_view key) const { return find(key, stages.size() - 1); }
  const MetricResult* find(std::string_view key, std::size_t stage) const;
  /// Of the last stage. Errors: UsageError where PCK was not measured.
  const MetricResult& pck() const;
};

/// The facts that metrics need of annotated people, whose images have not been read. Shapes: one entry per person.
std::vector<MeasuredPerson> measured_people(std::span<const Person> people);

namespace detail {

void check_people(std::span<const Person> people, const JointSet& joints);

// Metrics that can measure nobody are refused before any image is read.
void check_metrics(std::span<const Metric> metrics, std::span<const MeasuredPerson> people);

// Fills in the results of all stages, of the people who have estimates.
void measure(EvaluationResult& result);

// An evaluation and the seconds that each of its estimates took; without those for which an execution had to be made,
// and those of damaged photographs.
struct TimedEvaluation {
  EvaluationResult result;
  std::vector<double> seconds;
};

// The evaluations of evaluate(), by each of several estimators of one model. Every image is read once and estimated by
// all of them, beginning with another one each time: whatever slows the machine down for a while slows them down alike.
std::vector<TimedEvaluation> evaluate_each(std::span<const Estimator> estimators, std::span<const Person> all_people,
                                           const EvaluateOptions& options);

}  // namespace detail

/// The metrics of every stage over all people, or over a share of them, which may be empty. Predictions are those of
/// the estimator, with its options but for threads, for the whole image, or for person_box() where people are framed by
/// boxes; a model of several frames is fed those beside each image, as FrameReader finds them. Every labelled joint
/// counts alike, whatever its weight in training. Errors: UsageError for no people, people of another joint set, or a
/// share that there is not; DataError for a metric that can measure nobody, or an image that cannot be used.
EvaluationResult evaluate(const Estimator& estimator, std::span<const Person> people,
                          const EvaluateOptions& options = {});

/// What evaluate() gives for all people, from what it gave for each of their shares, the first share first. Poses may
/// have been left out of the results: where one lacks them, the whole has none.
/// Errors: UsageError for no results, or such as do not belong together: other metrics or stages, or numbers of people
/// that are not those of the shares of one list.
EvaluationResult merge(std::span<const EvaluationResult> shares);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/evaluate.ipp>
#endif
