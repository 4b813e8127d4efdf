// evaluate: a model measured on annotated people, from the images alone.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/base/shard.hpp>
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
  Shard shard;                 // of the people, the share to measure; merge() puts the results of all shares together
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
      if (person.joints[j].is_labelled()) continue;
      fail<DataError>({.where = person.image.string() + ": " + joints.joints[j],
                       .expected = "a labelled joint",
                       .got = "none",
                       .remedy = "evaluate on people whose joints are all labelled"});
    }
  }
}

}  // namespace detail

/// PCK and strict PCP of every stage over all people, or over a share of them, which may be empty. Predictions are
/// those of the estimator for the whole image: neither box nor joints of the annotation are used. Every labelled joint
/// counts alike, whatever its weight in training.
/// Errors: UsageError for no people, people of another joint set, or a share that there is not; DataError for an image
/// that cannot be used or, whosever share it is in, a joint without a label.
inline EvaluationResult evaluate(const Estimator& estimator, std::span<const Person> all_people,
                                 const EvaluateOptions& options = {}) {
  const JointSet& joints = estimator.model().meaning().joints;
  detail::check_people(all_people, joints);
  const std::vector<Person> people = share_of(all_people, options.shard);
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
  const int stages = estimator.options().stages;
  const std::size_t stage_count = stages != 0 ? std::size_t(stages) : estimator.model().graph().outputs.size();
  for (std::size_t s = 0; s < stage_count; ++s) {
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

/// What evaluate() gives for all people, from what it gave for each of their shares, the first share first. Poses may
/// have been left out of the results: where one lacks them, the whole has none.
/// Errors: UsageError for no results, or such as do not belong together: other thresholds, stages or parts, or numbers
/// of people that are not those of the shares of one list.
inline EvaluationResult merge(const JointSet& joints, std::span<const EvaluationResult> shares) {
  if (shares.empty()) fail<UsageError>({.where = "merge", .expected = "at least one result", .got = "none"});
  const EvaluationResult& first = shares.front();
  std::size_t people = 0;
  for (const EvaluationResult& share : shares) people += std::size_t(share.people);
  bool all_poses = true;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const EvaluationResult& share = shares[i];
    const Shard shard{static_cast<int>(i) + 1, static_cast<int>(shares.size())};
    const std::string where = "merge: shard " + to_string(shard);
    if (std::size_t(share.people) != share_size(shard, people)) {
      fail<UsageError>(
          {.where = where,
           .expected = std::to_string(share_size(shard, people)) + " of " + std::to_string(people) + " people",
           .got = std::to_string(share.people)});
    }
    if (share.pck_threshold != first.pck_threshold || share.stages.size() != first.stages.size()) {
      fail<UsageError>({.where = where,
                        .expected = std::to_string(first.stages.size()) + " stages and a PCK threshold of " +
                                    std::to_string(first.pck_threshold) + ", as the first share has",
                        .got = std::to_string(share.stages.size()) + " and " + std::to_string(share.pck_threshold)});
    }
    all_poses = all_poses && share.poses.size() == std::size_t(share.people);
  }

  EvaluationResult whole{static_cast<int>(people), first.pck_threshold, {}, {}};
  for (std::size_t s = 0; s < first.stages.size(); ++s) {
    PckMeter pck(joints, whole.pck_threshold);
    StrictPcpMeter pcp(joints);
    for (const EvaluationResult& share : shares) {
      pck.add(share.stages[s].pck.people, share.stages[s].pck.right);
      pcp.add(share.stages[s].pcp_strict.people, share.stages[s].pcp_strict.right);
    }
    whole.stages.push_back({pck.result(), pcp.result()});
  }
  if (all_poses) {
    std::vector<std::vector<Pose>> poses;
    for (const EvaluationResult& share : shares) poses.push_back(share.poses);
    whole.poses = join_shares(std::move(poses));
  }
  return whole;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
