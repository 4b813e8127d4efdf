// A metric: a function of annotated people and of what was estimated for them, with a name.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/pose.hpp>

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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
  double group(std::string_view name) const;
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
std::string to_string(const MetricSpec& spec);

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

double threshold_of(const MetricSpec& spec, double absent);

void check_measured(const JointSet& joints, std::span<const MeasuredPerson> people,
                    std::span<const Keypoints> estimates);

// The mean of the parts that have a figure; NaN where none has.
double mean_of(const std::vector<MetricValue>& parts, std::span<const int> which);

// Fills in groups and the mean from the parts. Those that are left out have no figure.
void finish_result(MetricResult& result, const std::vector<JointGroup>& groups);

// Shares in percent of the parts that were counted.
MetricResult rates(int people, std::vector<int> counted, std::vector<int> right, const std::vector<std::string>& names,
                   const std::vector<JointGroup>& groups);

bool has_labelled_joint(const MeasuredPerson& person);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/metric.ipp>
#endif
