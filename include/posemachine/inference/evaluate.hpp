// evaluate: a model measured on annotated people, from the images alone.
#pragma once

#include <posemachine/base/parallel.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/metrics.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

struct EvaluateOptions {
  int threads = 1;             // images at a time, each with a network of one thread: the result is the same for any
  double pck_threshold = 0.2;  // of pck_normaliser
  std::optional<PckNormaliser> pck_normaliser{};  // none: the torso, or the box where the joint set has no torso
  ImageLimits limits;                             // of one photograph
  std::shared_ptr<DamagedImages> damaged{};  // where photographs that cannot be used are noted, and their people left
                                             // out; null: the first one is an error
  Shard shard;  // of the people, the share to measure; merge() puts the results of all shares together
  // Called after every image, from any of the threads but one at a time. What it throws ends the evaluation.
  std::function<void(int done, int count)> progress;
};

/// The scores of one stage.
struct StageScores {
  MetricResult pck;
  std::optional<MetricResult> pcp_strict;  // none of joint sets without sticks
};

struct EvaluationResult {
  int people = 0;
  double pck_threshold = 0.2;
  PckNormaliser pck_normaliser = PckNormaliser::torso;
  std::vector<StageScores> stages;  // first stage first; the last is the model's answer
  std::vector<Pose> poses;          // of the last stage, in the order of the people

  const MetricResult& pck() const { return stages.back().pck; }
  const std::optional<MetricResult>& pcp_strict() const { return stages.back().pcp_strict; }
};

inline PckNormaliser default_normaliser(const JointSet& joints) {
  return has_torso(joints) ? PckNormaliser::torso : PckNormaliser::box;
}

namespace detail {

inline void check_people(std::span<const Person> people, const JointSet& joints, PckNormaliser normaliser) {
  if (people.empty()) fail<UsageError>({.where = "evaluation", .expected = "at least one person", .got = "none"});
  for (const Person& person : people) {
    if (person.joints.size() != joints.joints.size()) {
      fail<UsageError>({.where = person.image.string(),
                        .expected = std::to_string(joints.joints.size()) + " joints as the model predicts (joint set " +
                                    joints.name + ")",
                        .got = std::to_string(person.joints.size())});
    }
  }
  if (normaliser == PckNormaliser::torso && !has_torso(joints)) return;  // the meter refuses it
  const auto can_be_measured = [&](const Person& person) {
    const auto is_labelled = [&](int joint) { return person.joints[std::size_t(joint)].is_labelled(); };
    if (normaliser == PckNormaliser::torso) return is_labelled(joints.torso[0]) && is_labelled(joints.torso[1]);
    return person_box(person).has_value() && std::any_of(person.joints.begin(), person.joints.end(),
                                                         [](const Joint& joint) { return joint.is_labelled(); });
  };
  if (std::any_of(people.begin(), people.end(), can_be_measured)) return;
  fail<DataError>({.where = "evaluation",
                   .expected = normaliser == PckNormaliser::box ? "at least one person with a box and a labelled joint"
                                                                : "at least one person whose torso is labelled",
                   .got = "none of " + std::to_string(people.size()),
                   .remedy = normaliser == PckNormaliser::box ? "" : "measure by the box"});
}

// None of a photograph that cannot be used, where that is noted.
inline std::optional<Image> read_image_unless_damaged(const std::filesystem::path& path,
                                                      const EvaluateOptions& options) {
  if (options.damaged == nullptr) return read_image(path, options.limits);
  if (options.damaged->contains(path)) return std::nullopt;
  try {
    return read_image(path, options.limits);
  } catch (const DataError& error) {
    if (!is_readable(path)) throw;
    options.damaged->add(path, error.what());
    return std::nullopt;
  }
}

// The meters of one stage.
class StageMeters {
 public:
  StageMeters(const JointSet& joints, double threshold, PckNormaliser normaliser)
      : pck_(joints, threshold, normaliser) {
    if (!joints.sticks.empty()) pcp_.emplace(joints);
  }

  void add(const Person& person, std::span<const Keypoint> found, const std::optional<Box>& box) {
    pck_.add(person.joints, found, box);
    if (pcp_) pcp_->add(person.joints, found);
  }
  void add(const StageScores& share) {
    pck_.add(share.pck.people, share.pck.counted, share.pck.right);
    if (!pcp_) return;
    if (!share.pcp_strict) {
      fail<UsageError>({.where = "merge", .expected = "PCP in every share", .got = "none in one"});
    }
    pcp_->add(share.pcp_strict->people, share.pcp_strict->counted, share.pcp_strict->right);
  }

  StageScores result() const { return {pck_.result(), pcp_ ? std::optional(pcp_->result()) : std::nullopt}; }

 private:
  PckMeter pck_;
  std::optional<StrictPcpMeter> pcp_;
};

}  // namespace detail

/// PCK and strict PCP of every stage over all people, or over a share of them, which may be empty. Predictions are
/// those of the estimator for the whole image, or for person_box() where people are framed by boxes. Every labelled
/// joint counts alike, whatever its weight in training. Errors: UsageError for no people, people of another joint set,
/// PCK by the torso where the joint set has none, or a share that there is not; DataError for an image that cannot be
/// used.
inline EvaluationResult evaluate(const Estimator& estimator, std::span<const Person> all_people,
                                 const EvaluateOptions& options = {}) {
  const JointSet& joints = estimator.model().meaning().joints;
  const PckNormaliser normaliser = options.pck_normaliser.value_or(default_normaliser(joints));
  detail::check_people(all_people, joints, normaliser);
  const std::vector<Person> people = share_of(all_people, options.shard);
  Workers workers(options.threads);
  std::vector<Estimator> estimators;
  for (int i = 0; i < options.threads; ++i) estimators.push_back(estimator.with({.threads = 1}));
  std::vector<std::vector<std::vector<Keypoint>>> found(people.size());  // by person and stage
  std::vector<Pose> poses(people.size());
  std::vector<std::optional<Box>> measures(people.size());
  std::mutex mutex;
  int done = 0;
  workers.for_each(static_cast<int>(people.size()), [&](int index, int slot) {
    const auto i = static_cast<std::size_t>(index);
    if (const std::optional<Image> image = detail::read_image_unless_damaged(people[i].image, options)) {
      Estimator& own = estimators[std::size_t(slot)];
      Estimate estimate = own.explain(*image, box_in_image(people[i], image->width, image->height));
      measures[i] = person_box(people[i], image->width, image->height);
      for (StageEstimate& stage : estimate.stages) found[i].push_back(std::move(stage.keypoints));
      poses[i] = std::move(estimate.pose);
    }
    const std::scoped_lock lock(mutex);
    ++done;
    if (options.progress) options.progress(done, static_cast<int>(people.size()));
  });

  EvaluationResult result{static_cast<int>(people.size()), options.pck_threshold, normaliser, {}, std::move(poses)};
  const int stages = estimator.options().stages;
  const std::size_t stage_count = stages != 0 ? std::size_t(stages) : estimator.model().graph().outputs.size();
  for (std::size_t s = 0; s < stage_count; ++s) {
    detail::StageMeters meters(joints, options.pck_threshold, normaliser);
    for (std::size_t i = 0; i < people.size(); ++i) {
      if (!found[i].empty()) meters.add(people[i], found[i][s], measures[i]);
    }
    result.stages.push_back(meters.result());
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
  if (people > std::size_t(std::numeric_limits<int>::max())) {
    fail<UsageError>({.where = "merge",
                      .expected = "at most " + std::to_string(std::numeric_limits<int>::max()) + " people in all",
                      .got = std::to_string(people)});
  }
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
    if (share.pck_threshold != first.pck_threshold || share.pck_normaliser != first.pck_normaliser ||
        share.stages.size() != first.stages.size()) {
      fail<UsageError>({.where = where,
                        .expected = std::to_string(first.stages.size()) + " stages and a PCK threshold of " +
                                    std::to_string(first.pck_threshold) + " of the " + name_of(first.pck_normaliser) +
                                    ", as the first share has",
                        .got = std::to_string(share.stages.size()) + " and " + std::to_string(share.pck_threshold) +
                               " of the " + name_of(share.pck_normaliser)});
    }
    all_poses = all_poses && share.poses.size() == std::size_t(share.people);
  }

  EvaluationResult whole{static_cast<int>(people), first.pck_threshold, first.pck_normaliser, {}, {}};
  for (std::size_t s = 0; s < first.stages.size(); ++s) {
    detail::StageMeters meters(joints, whole.pck_threshold, whole.pck_normaliser);
    for (const EvaluationResult& share : shares) meters.add(share.stages[s]);
    whole.stages.push_back(meters.result());
  }
  if (all_poses) {
    std::vector<std::vector<Pose>> poses;
    for (const EvaluationResult& share : shares) poses.push_back(share.poses);
    whole.poses = join_shares(std::move(poses));
  }
  return whole;
}

}  // namespace posemachine::inline POSEMACHINE_BUILD
