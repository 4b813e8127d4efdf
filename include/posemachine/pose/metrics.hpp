// The field's metrics of estimated poses: PCK by torso size, strict and loose PCP.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A share of people, in percent; NaN when nobody was counted.
struct Rate {
  std::string name;
  double percent = 0;
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// What a metric found over all people added to it.
struct MetricResult {
  int people = 0;
  std::vector<int> right;    // for how many of them each part is right: from these, shares of people add up exactly
  std::vector<Rate> parts;   // of each joint (PCK) or stick (PCP; named by its group), in the joint set's order
  std::vector<Rate> groups;  // the mean of a group's parts, in the order the joint set names them
  double mean = 0;           // the mean of all parts, in percent
};

namespace detail {

/// Counts of right parts. Every part counts for every person, so all rates have the number of people below them.
class PartCounts {
 public:
  explicit PartCounts(std::size_t part_count) : right_(part_count, 0) {}

  void count_person() { ++people_; }
  void count_right(std::size_t part) { ++right_[part]; }
  int people() const { return people_; }
  const std::vector<int>& right() const { return right_; }

  void add(int people, std::span<const int> right) {
    const auto possible = [&](int count) { return count >= 0 && count <= people; };
    if (right.size() != right_.size() || people < 0 || !std::all_of(right.begin(), right.end(), possible)) {
      fail<UsageError>({.where = "metrics",
                        .expected = std::to_string(right_.size()) + " counts from 0 to the number of people",
                        .got = std::to_string(right.size()) + " for " + std::to_string(people) + " people"});
    }
    if (people > std::numeric_limits<int>::max() - people_) {
      fail<UsageError>({.where = "metrics",
                        .expected = "at most " + std::to_string(std::numeric_limits<int>::max()) + " people in all",
                        .got = std::to_string(people) + " besides " + std::to_string(people_)});
    }
    people_ += people;
    for (std::size_t part = 0; part < right.size(); ++part) right_[part] += right[part];
  }

  double percent(std::size_t part) const {
    return people_ > 0 ? 100.0 * right_[part] / people_ : std::numeric_limits<double>::quiet_NaN();
  }

  /// The mean of the parts' rates; NaN for no parts.
  double mean_percent(std::span<const int> parts) const {
    double sum = 0;
    for (const int part : parts) sum += percent(std::size_t(part));
    return parts.empty() ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(parts.size());
  }

 private:
  int people_ = 0;
  std::vector<int> right_;
};

inline MetricResult rates(const PartCounts& counts, const std::vector<std::string>& names,
                          const std::vector<JointGroup>& groups) {
  MetricResult result;
  result.people = counts.people();
  result.right = counts.right();
  std::vector<int> all;
  for (std::size_t part = 0; part < names.size(); ++part) {
    result.parts.push_back({names[part], counts.percent(part)});
    all.push_back(static_cast<int>(part));
  }
  for (const JointGroup& group : groups) result.groups.push_back({group.name, counts.mean_percent(group.joints)});
  result.mean = counts.mean_percent(all);
  return result;
}

inline void check_person(const JointSet& joints, std::span<const Point> truth, std::span<const Keypoint> predicted) {
  const std::size_t count = joints.joints.size();
  if (truth.size() != count || predicted.size() != count) {
    fail<UsageError>({.where = "metrics",
                      .expected = std::to_string(count) + " true and estimated joints (joint set " + joints.name + ")",
                      .got = std::to_string(truth.size()) + " and " + std::to_string(predicted.size())});
  }
  for (std::size_t j = 0; j < count; ++j) {
    if (std::isfinite(truth[j].x) && std::isfinite(truth[j].y)) continue;
    fail<DataError>({.where = "metrics: truth of " + joints.joints[j],
                     .expected = "a finite position",
                     .got = "NaN or infinity",
                     .remedy = "measure people whose joints are all labelled"});
  }
}

/// The middle of one or two joints of anything that has positions.
template <class Position>
Point middle(const std::vector<int>& joints, Position&& position) {
  Point sum{};
  for (const int joint : joints) sum = sum + position(std::size_t(joint));
  return (1.0 / static_cast<double>(joints.size())) * sum;
}

}  // namespace detail

/// Percentage of Correct Keypoints: a joint is right within threshold * the true torso, the distance of the joint set's
/// two torso joints. Every joint of every person counts, whether visible or not; a missing one is wrong. A true torso
/// of length 0 leaves only exact hits right. Source: Yang and Ramanan 2013 as LSP's common evaluation code has it.
class PckMeter {
 public:
  /// Errors: ModelError for a broken joint set; UsageError where the threshold is not above 0.
  explicit PckMeter(JointSet joints, double threshold = 0.2)
      : joints_(std::move(joints)), threshold_(threshold), counts_(joints_.joints.size()) {
    check(joints_);
    if (!(threshold > 0)) {
      fail<UsageError>(
          {.where = "PCK threshold", .expected = "a share of the torso above 0", .got = std::to_string(threshold)});
    }
  }

  /// Counts one person. Shapes: one position a joint, both in pixels of the original image.
  /// Errors: UsageError for another number of joints; DataError for a truth that is not finite.
  void add(std::span<const Point> truth, std::span<const Keypoint> predicted) {
    detail::check_person(joints_, truth, predicted);
    const double torso = distance(truth[std::size_t(joints_.torso[0])], truth[std::size_t(joints_.torso[1])]);
    counts_.count_person();
    for (std::size_t j = 0; j < truth.size(); ++j) {
      if (!predicted[j].found()) continue;
      if (distance(predicted[j].position, truth[j]) <= threshold_ * torso) counts_.count_right(j);
    }
  }

  /// Counts people who were measured elsewhere, with the same threshold: as many, and a result's `right`.
  /// Errors: UsageError for another number of joints, or counts that are not from 0 to the number of people.
  void add(int people, std::span<const int> right) { counts_.add(people, right); }

  double threshold() const { return threshold_; }

  /// Rates of the joints and of the joint set's groups, and the mean over the joints.
  MetricResult result() const { return detail::rates(counts_, joints_.joints, joints_.groups); }

 private:
  JointSet joints_;
  double threshold_;
  detail::PartCounts counts_;
};

/// When PCP calls a stick right.
enum class PcpRule {
  strict,  // both ends within half of the stick's true length
  loose,   // the mean of both ends' errors within half of it: higher, and not comparable with strict
};

/// Percentage of Correct Parts over the joint set's sticks, an end between two joints being their middle. Every stick
/// of every person counts; where a joint is missing it is wrong. A true stick of length 0 leaves only exact hits right.
/// Source: Ferrari et al. 2008; strict and loose as Pishchulin et al. 2012 tell them apart.
template <PcpRule Rule>
class PcpMeter {
 public:
  /// Errors: ModelError for a broken joint set or a stick without two ends.
  explicit PcpMeter(JointSet joints) : joints_(std::move(joints)), counts_(joints_.sticks.size()) {
    check(joints_);
    for (std::size_t s = 0; s < joints_.sticks.size(); ++s) {
      const Stick& stick = joints_.sticks[s];
      if (stick.from.empty() || stick.to.empty()) {
        fail<ModelError>({.where = "joint set " + joints_.name + ": sticks." + stick.group,
                          .expected = "one or two joints at both ends",
                          .got = "none"});
      }
      names_.push_back(stick.group);
      const auto same_name = [&](const JointGroup& group) { return group.name == stick.group; };
      auto group = std::find_if(groups_.begin(), groups_.end(), same_name);
      if (group == groups_.end()) group = groups_.insert(groups_.end(), JointGroup{stick.group, {}});
      group->joints.push_back(static_cast<int>(s));
    }
  }

  /// Counts one person. Shapes and errors as PckMeter::add.
  void add(std::span<const Point> truth, std::span<const Keypoint> predicted) {
    detail::check_person(joints_, truth, predicted);
    const auto true_position = [&](std::size_t joint) { return truth[joint]; };
    const auto position = [&](std::size_t joint) { return predicted[joint].position; };
    counts_.count_person();
    for (std::size_t s = 0; s < joints_.sticks.size(); ++s) {
      const Stick& stick = joints_.sticks[s];
      const Point from = detail::middle(stick.from, true_position);
      const Point to = detail::middle(stick.to, true_position);
      // A missing joint is NaN, so its errors are too, and no comparison with them is true.
      const double from_error = distance(detail::middle(stick.from, position), from);
      const double to_error = distance(detail::middle(stick.to, position), to);
      const double allowed = 0.5 * distance(from, to);
      const bool right = Rule == PcpRule::strict ? from_error <= allowed && to_error <= allowed
                                                 : 0.5 * (from_error + to_error) <= allowed;
      if (right) counts_.count_right(s);
    }
  }

  /// Counts people who were measured elsewhere. Errors: as PckMeter::add.
  void add(int people, std::span<const int> right) { counts_.add(people, right); }

  /// Rates of the sticks and of their groups, and the mean over the sticks.
  MetricResult result() const { return detail::rates(counts_, names_, groups_); }

 private:
  JointSet joints_;
  std::vector<std::string> names_;  // of each stick: its group's
  std::vector<JointGroup> groups_;  // of sticks
  detail::PartCounts counts_;
};

using StrictPcpMeter = PcpMeter<PcpRule::strict>;
using LoosePcpMeter = PcpMeter<PcpRule::loose>;

}  // namespace posemachine::inline POSEMACHINE_BUILD
