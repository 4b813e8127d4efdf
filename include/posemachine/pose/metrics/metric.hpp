// A metric: a function of annotated people and of what was estimated for them, with a name.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// An annotated person as metrics see them. Shapes: one joint per joint of the set, in pixels of the original image,
/// the centre of the first one being (0, 0); lengths in pixels, areas in square pixels.
struct MeasuredPerson {
  int image = 0;  // the same for all people of one image, who compete for the estimates there
  std::vector<Joint> truth;
  std::optional<Box> box{};             // of the person
  std::optional<double> image_side{};   // the larger one
  std::optional<double> head_length{};  // as PCKh measures by it
  std::optional<double> area{};         // of the person's outline
};

/// The estimate for one person. Shapes: one keypoint per joint of the set, in pixels of the original image.
using Keypoints = std::vector<Keypoint>;

/// A figure of a metric, in its unit; NaN where nothing was counted.
struct MetricValue {
  std::string name;
  double value = 0;
  friend bool operator==(const MetricValue&, const MetricValue&) = default;
};

/// The figures of a metric over all people.
struct MetricResult {
  int people = 0;            // those who could be measured
  std::vector<int> counted;  // how many of them count for each part: those of whom it is labelled
  std::vector<int> right;    // for how many of these it was right, or found at all where nothing is right or wrong
  std::vector<MetricValue> parts;   // of each joint or stick, in the joint set's order
  std::vector<MetricValue> groups;  // the mean of a group's parts, in the order in which the joint set names them
  double mean = std::numeric_limits<double>::quiet_NaN();    // of all parts that count for somebody
  double pooled = std::numeric_limits<double>::quiet_NaN();  // of all parts of all people alike

  /// The figure of a group, or NaN.
  double group(std::string_view name) const {
    for (const MetricValue& each : groups) {
      if (each.name == name) return each.value;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }
};

/// A metric, ready to measure people of one joint set.
struct Metric {
  std::string name;                   // whole, as it is asked for: "pck@0.2:torso"
  std::string key;                    // of its kind, as results have it: "pck"
  std::string title;                  // for people, of its kind: "PCK"
  std::string heading;                // the same whole: "PCK@0.2 of the torso"
  std::string unit = "%";             // or "px"
  std::optional<double> threshold{};  // none where it has none
  std::string normaliser{};           // what lengths are divided by: "torso"; empty: nothing
  std::string needs = "joints";       // what a person must have to be measured, for messages
  bool reports_pooled = false;        // whether the pooled figure is published beside the mean
  std::function<bool(const MeasuredPerson&)> can_measure{};
  /// Shapes: as many estimates as people. Errors: UsageError for other numbers of joints; DataError for a labelled
  /// truth that is not finite.
  std::function<MetricResult(std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates)> measure{};
};

/// A metric as it is asked for: KIND[@THRESHOLD][:NORMALISER].
struct MetricSpec {
  std::string kind;
  std::optional<double> threshold{};
  std::string normaliser{};
};

/// "pck@0.2:torso".
inline std::string to_string(const MetricSpec& spec) {
  std::string text = spec.kind;
  if (spec.threshold) {
    std::array<char, 32> digits{};  // a double's shortest form has at most 24
    text += "@" + std::string(digits.data(), std::to_chars(digits.begin(), digits.end(), *spec.threshold).ptr);
  }
  return text + (spec.normaliser.empty() ? "" : ":" + spec.normaliser);
}

/// A kind of metric: a row of MetricKinds.
struct MetricKind {
  std::string_view name{};
  std::string_view normalisers{};  // what may follow a colon: "torso, box"; empty: nothing may
  bool has_threshold = false;      // whether @THRESHOLD may follow
  std::string_view does{};         // a line for people
  /// Fills in what the spec leaves open. Errors: UsageError where the joint set lacks what the metric needs.
  Metric (*make)(MetricSpec spec, const JointSet& joints) = nullptr;
};

namespace detail {

inline double threshold_of(const MetricSpec& spec, double absent) {
  const double threshold = spec.threshold.value_or(absent);
  if (threshold > 0 && threshold <= 1e6) return threshold;
  fail<UsageError>({.where = "metric " + spec.kind,
                    .expected = "a threshold above 0, up to a million",
                    .got = to_string({"", threshold, ""}).substr(1)});
}

inline void check_measured(const JointSet& joints, std::span<const MeasuredPerson> people,
                           std::span<const Keypoints> estimates) {
  const std::size_t count = joints.joints.size();
  if (people.size() != estimates.size()) {
    fail<UsageError>({.where = "metrics",
                      .expected = std::to_string(people.size()) + " estimates, one per person",
                      .got = std::to_string(estimates.size())});
  }
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::vector<Joint>& truth = people[i].truth;
    if (truth.size() != count || estimates[i].size() != count) {
      fail<UsageError>(
          {.where = "metrics",
           .expected = std::to_string(count) + " true and estimated joints (joint set " + joints.name + ")",
           .got = std::to_string(truth.size()) + " and " + std::to_string(estimates[i].size())});
    }
    for (std::size_t j = 0; j < count; ++j) {
      const Point& position = truth[j].position;
      if (!truth[j].is_labelled() || (std::isfinite(position.x) && std::isfinite(position.y))) continue;
      fail<DataError>({.where = "metrics: truth of " + joints.joints[j],
                       .expected = "a finite position, or an unlabelled joint",
                       .got = "NaN or infinity"});
    }
  }
}

// The mean of the parts that have a figure; NaN where none has.
inline double mean_of(const std::vector<MetricValue>& parts, std::span<const int> which) {
  double sum = 0;
  int count = 0;
  for (const int part : which) {
    const double value = parts[static_cast<std::size_t>(part)].value;
    if (std::isnan(value)) continue;
    sum += value;
    ++count;
  }
  return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / count;
}

// Fills in groups and the mean from the parts. Those that are left out have no figure.
inline void finish_result(MetricResult& result, const std::vector<JointGroup>& groups) {
  std::vector<int> all;
  for (std::size_t part = 0; part < result.parts.size(); ++part) all.push_back(static_cast<int>(part));
  for (const JointGroup& group : groups) result.groups.push_back({group.name, mean_of(result.parts, group.joints)});
  result.mean = mean_of(result.parts, all);
}

// Shares in percent of the parts that were counted.
inline MetricResult rates(int people, std::vector<int> counted, std::vector<int> right,
                          const std::vector<std::string>& names, const std::vector<JointGroup>& groups) {
  MetricResult result;
  result.people = people;
  long long all_counted = 0, all_right = 0;
  for (std::size_t part = 0; part < names.size(); ++part) {
    const double rate =
        counted[part] > 0 ? 100.0 * right[part] / counted[part] : std::numeric_limits<double>::quiet_NaN();
    result.parts.push_back({names[part], rate});
    all_counted += counted[part];
    all_right += right[part];
  }
  if (all_counted > 0) result.pooled = 100.0 * static_cast<double>(all_right) / static_cast<double>(all_counted);
  result.counted = std::move(counted);
  result.right = std::move(right);
  finish_result(result, groups);
  return result;
}

inline bool has_labelled_joint(const MeasuredPerson& person) {
  for (const Joint& joint : person.truth) {
    if (joint.is_labelled()) return true;
  }
  return false;
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
