// evaluate: a model measured on annotated people, from the images alone.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/metrics.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct EvaluateOptions {
  int threads = 1;             // images at a time, each with a network of one thread: the result is the same for any
  double pck_threshold = 0.2;  // of the true torso
  ImageLimits limits;          // of one photograph
  // Called after every image, from any of the threads but one at a time. What it throws ends the evaluation.
  std::function<void(int done, int count)> progress;
};

/// The scores of one stage.
struct StageScores {
  MetricResult pck;
  MetricResult pcp_strict;
};

struct EvaluationResult {
  int people = 0;
  double pck_threshold = 0.2;
  std::vector<StageScores> stages;  // first stage first; the last is the model's answer
  std::vector<Pose> poses;          // of the last stage, in the order of the people

  const MetricResult& pck() const { return stages.back().pck; }
  const MetricResult& pcp_strict() const { return stages.back().pcp_strict; }
};

namespace detail {

inline void check_people(std::span<const Person> people, const JointSet& joints) {
  if (people.empty()) fail<UsageError>({.where = "evaluation", .expected = "at least one person", .got = "none"});
  for (const Person& person : people) {
    if (person.joints.size() != joints.joints.size()) {
      fail<UsageError>({.where = person.image.string(),
                        .expected = std::to_string(joints.joints.size()) + " joints as the model predicts (joint set " +
                                    joints.name + ")",
                        .got = std::to_string(person.joints.size())});
    }
    for (std::size_t j = 0; j < person.joints.size(); ++j) {
      if (person.joints[j].state != JointState::unlabelled) continue;
      fail<DataError>({.where = person.image.string() + ": " + joints.joints[j], .expected = "a labelled joint",
                       .got = "none", .remedy = "evaluate on people whose joints are all labelled"});
    }
  }
}

}  // namespace detail

/// PCK and strict PCP of every stage over all people. Predictions are those of the estimator for the whole image:
/// neither box nor joints of the annotation are used.
/// Errors: UsageError for no people, or people of another joint set; DataError for an image that cannot be used or a
/// joint without a label.
inline EvaluationResult evaluate(const Estimator& estimator, std::span<const Person> people,
                                 const EvaluateOptions& options = {}) {
  const JointSet& joints = estimator.model().meaning().joints;
  detail::check_people(people, joints);
  Workers workers(options.threads);
  std::vector<Estimator> estimators;
  for (int i = 0; i < options.threads; ++i) estimators.push_back(estimator.with({.threads = 1}));
  std::vector<std::vector<std::vector<Keypoint>>> found(people.size());  // by person and stage
  std::vector<Pose> poses(people.size());
  std::mutex mutex;
  int done = 0;
  workers.for_each(static_cast<int>(people.size()), [&](int index, int slot) {
    const auto i = static_cast<std::size_t>(index);
    Estimate estimate = estimators[std::size_t(slot)].explain(read_image(people[i].image, options.limits));
    for (StageEstimate& stage : estimate.stages) found[i].push_back(std::move(stage.keypoints));
    poses[i] = std::move(estimate.pose);
    const std::scoped_lock lock(mutex);
    ++done;
    if (options.progress) options.progress(done, static_cast<int>(people.size()));
  });

  EvaluationResult result{static_cast<int>(people.size()), options.pck_threshold, {}, std::move(poses)};
  for (std::size_t s = 0; s < found.front().size(); ++s) {
    PckMeter pck(joints, options.pck_threshold);
    StrictPcpMeter pcp(joints);
    for (std::size_t i = 0; i < people.size(); ++i) {
      std::vector<Point> truth;
      for (const Joint& joint : people[i].joints) truth.push_back(joint.position);
      pck.add(truth, found[i][s]);
      pcp.add(truth, found[i][s]);
    }
    result.stages.push_back({pck.result(), pcp.result()});
  }
  return result;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
