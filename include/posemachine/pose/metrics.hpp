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
#include <optional>
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
  std::vector<int> counted;  // how many of them count for each part: those of whom it is labelled
  std::vector<int> right;    // of how many it is right: from these, shares of people add up exactly
  std::vector<Rate> parts;   // of each joint (PCK) or stick (PCP; named by its group), in the joint set's order
  std::vector<Rate> groups;  // the mean of a group's parts, in the order the joint set names them
  double mean = 0;           // the mean of all parts that count for somebody, in percent; NaN where none does
};

namespace detail {

/// Counts of parts, and of those that are right.
class PartCounts {
 public:
  explicit PartCounts(std::size_t part_count) : counted_(part_count, 0), right_(part_count, 0) {}

  void count_person() { ++people_; }
  void count(std::size_t part, bool is_right) {
    ++counted_[part];
    right_[part] += is_right ? 1 : 0;
  }
  int people() const { return people_; }
  const std::vector<int>& counted() const { return counted_; }
  const std::vector<int>& right() const { return right_; }

  void add(int people, std::span<const int> counted, std::span<const int> right) {
    bool possible = counted.size() == counted_.size() && right.size() == right_.size() && people >= 0;
    for (std::size_t part = 0; possible && part < right.size(); ++part) {
      possible = right[part] >= 0 && right[part] <= counted[part] && counted[part] <= people;
    }
    if (!possible) {
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
    for (std::size_t part = 0; part < right.size(); ++part) {
      counted_[part] += counted[part];
      right_[part] += right[part];
    }
  }

  double percent(std::size_t part) const {
    return counted_[part] > 0 ? 100.0 * right_[part] / counted_[part] : std::numeric_limits<double>::quiet_NaN();
  }

  /// The mean of the rates of the parts that were counted; NaN for none.
  double mean_percent(std::span<const int> parts) const {
    double sum = 0;
    int count = 0;
    for (const int part : parts) {
      if (counted_[std::size_t(part)] == 0) continue;
      sum += percent(std::size_t(part));
      ++count;
    }
    return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
  }

 private:
  int people_ = 0;
  std::vector<int> counted_;
  std::vector<int> right_;
};

inline MetricResult rates(const PartCounts& counts, const std::vector<std::string>& names,
                          const std::vector<JointGroup>& groups) {
  MetricResult result;
  result.people = counts.people();
  result.counted = counts.counted();
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

inline void check_person(const JointSet& joints, std::span<const Joint> truth, std::span<const Keypoint> predicted) {
  const std::size_t count = joints.joints.size();
  if (truth.size() != count || predicted.size() != count) {
    fail<UsageError>({.where = "metrics",
                      .expected = std::to_string(count) + " true and estimated joints (joint set " + joints.name + ")",
                      .got = std::to_string(truth.size()) + " and " + std::to_string(predicted.size())});
  }
  for (std::size_t j = 0; j < count; ++j) {
    if (!truth[j].is_labelled() || (std::isfinite(truth[j].position.x) && std::isfinite(truth[j].position.y))) continue;
    fail<DataError>({.where = "metrics: truth of " + joints.joints[j],
                     .expected = "a finite position, or an unlabelled joint",
                     .got = "NaN or infinity"});
  }
}

// The positions as joints, all of them labelled.
inline std::vector<Joint> labelled(std::span<const Point> positions) {
  std::vector<Joint> joints;
  for (const Point& position : positions) joints.push_back({position, JointState::visible});
  return joints;
}

/// The middle of one or two joints of anything that has positions.
template <class Position>
Point middle(const std::vector<int>& joints, Position&& position) {
  Point sum{};
  for (const int joint : joints) sum = sum + position(std::size_t(joint));
  return (1.0 / static_cast<double>(joints.size())) * sum;
}

}  // namespace detail

/// What PCK measures errors by.
enum class PckNormaliser {
  torso,  // the distance of the joint set's two torso joints; people of whom one is unlabelled cannot be measured
  box     // the larger side of the person's box; people without a box cannot be measured
};

inline std::string name_of(PckNormaliser normaliser) { return normaliser == PckNormaliser::torso ? "torso" : "box"; }

/// Percentage of Correct Keypoints: a joint is right within threshold * the normaliser's length. Every labelled joint
/// of every person counts, whether visible or not; one that was not found is wrong. A length of 0 leaves only exact
/// hits right. Source: Yang and Ramanan 2013; by the torso as LSP's common evaluation code has it.
class PckMeter {
 public:
  /// Errors: ModelError for a broken joint set; UsageError where the threshold is not above 0, or for the torso of a
  /// joint set that has none.
  explicit PckMeter(JointSet joints, double threshold = 0.2, PckNormaliser normaliser = PckNormaliser::torso)
      : joints_(std::move(joints)), threshold_(threshold), normaliser_(normaliser), counts_(joints_.joints.size()) {
    check(joints_);
    if (!(threshold > 0)) {
      fail<UsageError>({.where = "PCK threshold",
                        .expected = "a share of the " + name_of(normaliser) + " above 0",
                        .got = std::to_string(threshold)});
    }
    if (normaliser == PckNormaliser::torso && !has_torso(joints_)) {
      fail<UsageError>({.where = "PCK",
                        .expected = "a joint set with a torso",
                        .got = "the joint set " + joints_.name,
                        .remedy = "measure by the box"});
    }
  }

  /// Counts one person; without effect where the normaliser is unknown. Shapes: one position per joint, in pixels of
  /// the original image; `box` that of the person, whose sides alone matter. Errors: UsageError for another number of
  /// joints; DataError for a labelled truth that is not finite.
  void add(std::span<const Joint> truth, std::span<const Keypoint> predicted,
           const std::optional<Box>& box = std::nullopt) {
    detail::check_person(joints_, truth, predicted);
    const std::optional<double> length = normaliser_length(truth, box);
    if (!length) return;
    counts_.count_person();
    for (std::size_t j = 0; j < truth.size(); ++j) {
      if (!truth[j].is_labelled()) continue;
      const bool found = predicted[j].found();
      counts_.count(j, found && distance(predicted[j].position, truth[j].position) <= threshold_ * *length);
    }
  }
  /// A person of whom every joint is labelled.
  void add(std::span<const Point> truth, std::span<const Keypoint> predicted) {
    add(detail::labelled(truth), predicted);
  }

  /// Counts people who were measured elsewhere, with the same threshold: as many, and a result's `counted` and `right`.
  /// Errors: UsageError for another number of joints, or counts that are not from 0 to the number of people.
  void add(int people, std::span<const int> counted, std::span<const int> right) {
    counts_.add(people, counted, right);
  }

  double threshold() const { return threshold_; }

  /// Rates of the joints and of the joint set's groups, and the mean over the joints.
  MetricResult result() const { return detail::rates(counts_, joints_.joints, joints_.groups); }

 private:
  std::optional<double> normaliser_length(std::span<const Joint> truth, const std::optional<Box>& box) const {
    if (normaliser_ == PckNormaliser::box) {
      if (!box) return std::nullopt;
      return std::max(box->width, box->height);
    }
    const Joint& one = truth[std::size_t(joints_.torso[0])];
    const Joint& other = truth[std::size_t(joints_.torso[1])];
    if (!one.is_labelled() || !other.is_labelled()) return std::nullopt;
    return distance(one.position, other.position);
  }

  JointSet joints_;
  double threshold_;
  PckNormaliser normaliser_;
  detail::PartCounts counts_;
};

/// When PCP calls a stick right.
enum class PcpRule {
  strict,  // both ends within half of the stick's true length
  loose,   // the mean of both ends' errors within half of it: higher, and not comparable with strict
};

/// Percentage of Correct Parts over the joint set's sticks, an end between two joints being their middle. Every stick
/// of every person counts whose joints are all labelled; where one was not found it is wrong. A true stick of length 0
/// leaves only exact hits right. Source: Ferrari et al. 2008; strict and loose as Pishchulin et al. 2012 tell them
/// apart.
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
  void add(std::span<const Joint> truth, std::span<const Keypoint> predicted) {
    detail::check_person(joints_, truth, predicted);
    const auto true_position = [&](std::size_t joint) { return truth[joint].position; };
    const auto is_labelled = [&](int joint) { return truth[std::size_t(joint)].is_labelled(); };
    const auto position = [&](std::size_t joint) { return predicted[joint].position; };
    counts_.count_person();
    for (std::size_t s = 0; s < joints_.sticks.size(); ++s) {
      const Stick& stick = joints_.sticks[s];
      if (!std::all_of(stick.from.begin(), stick.from.end(), is_labelled) ||
          !std::all_of(stick.to.begin(), stick.to.end(), is_labelled)) {
        continue;
      }
      const Point from = detail::middle(stick.from, true_position);
      const Point to = detail::middle(stick.to, true_position);
      // A missing joint is NaN, so its errors are too, and no comparison with them is true.
      const double from_error = distance(detail::middle(stick.from, position), from);
      const double to_error = distance(detail::middle(stick.to, position), to);
      const double allowed = 0.5 * distance(from, to);
      const bool right = Rule == PcpRule::strict ? from_error <= allowed && to_error <= allowed
                                                 : 0.5 * (from_error + to_error) <= allowed;
      counts_.count(s, right);
    }
  }

  /// A person of whom every joint is labelled.
  void add(std::span<const Point> truth, std::span<const Keypoint> predicted) {
    add(detail::labelled(truth), predicted);
  }

  /// Counts people who were measured elsewhere. Errors: as PckMeter::add.
  void add(int people, std::span<const int> counted, std::span<const int> right) {
    counts_.add(people, counted, right);
  }

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
