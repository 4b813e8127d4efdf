// Normalisers: the torso, the box, the head or the image, by which metrics divide lengths.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace posemachine::inline POSEMACHINE_BUILD {

/// A person's length that errors are measured by. People who lack it cannot be measured.
enum class Normaliser {
  torso,  // the distance between the joint set's two torso joints
  box,    // the larger side of the person's box
  head,   // the head length that the annotation gives
  image,  // the larger side of the image
};

namespace detail {

struct NormaliserWords {
  Normaliser normaliser;
  std::string_view name;
  std::string_view needs;
};
inline constexpr std::array<NormaliserWords, 4> normaliser_words{{
    {Normaliser::torso, "torso", "a labelled torso"},
    {Normaliser::box, "box", "a box and a labelled joint"},
    {Normaliser::head, "head", "a head length and a labelled joint"},
    {Normaliser::image, "image", "a labelled joint"},
}};

inline const NormaliserWords& words_of(Normaliser normaliser) {
  for (const NormaliserWords& words : normaliser_words) {
    if (words.normaliser == normaliser) return words;
  }
  return normaliser_words.front();
}

}  // namespace detail

inline std::string name_of(Normaliser normaliser) { return std::string(detail::words_of(normaliser).name); }

/// The normaliser of a name; an empty one is the torso, or the box where the joint set has no torso. Errors: UsageError
/// for another name, or for the torso of a joint set that has none.
inline Normaliser normaliser_from(const std::string& name, const JointSet& joints, const std::string& where) {
  if (name.empty()) return has_torso(joints) ? Normaliser::torso : Normaliser::box;
  for (const detail::NormaliserWords& words : detail::normaliser_words) {
    if (words.name != name) continue;
    if (words.normaliser == Normaliser::torso && !has_torso(joints)) {
      fail<UsageError>({.where = where,
                        .expected = "a joint set with a torso",
                        .got = "the joint set " + joints.name,
                        .remedy = "measure by the box"});
    }
    return words.normaliser;
  }
  fail<UsageError>({.where = where, .expected = "torso, box, head or image", .got = "\"" + name + "\""});
}

/// The person's length, in pixels; none where it is unknown.
inline std::optional<double> length_of(Normaliser normaliser, const JointSet& joints, const MeasuredPerson& person) {
  switch (normaliser) {
    case Normaliser::torso: {
      const Joint& one = person.truth[static_cast<std::size_t>(joints.torso[0])];
      const Joint& other = person.truth[static_cast<std::size_t>(joints.torso[1])];
      if (!one.is_labelled() || !other.is_labelled()) return std::nullopt;
      return distance(one.position, other.position);
    }
    case Normaliser::box:
      if (!person.box) return std::nullopt;
      return std::max(person.box->width, person.box->height);
    case Normaliser::head: return person.head_length;
    case Normaliser::image: return person.image_side;
  }
  return std::nullopt;
}

namespace detail {

// Whether an annotation has what is needed; the image's side is known only once the image is read.
inline bool can_measure(Normaliser normaliser, const JointSet& joints, const MeasuredPerson& person) {
  if (!has_labelled_joint(person)) return false;
  return normaliser == Normaliser::image || length_of(normaliser, joints, person).has_value();
}

// Fills in what all metrics by a normaliser have in common.
inline Metric metric_by(Normaliser normaliser, const JointSet& joints) {
  Metric metric;
  metric.normaliser = name_of(normaliser);
  metric.needs = std::string(words_of(normaliser).needs);
  metric.can_measure = [normaliser, joints](const MeasuredPerson& person) {
    return can_measure(normaliser, joints, person);
  };
  return metric;
}

// A metric by a share of a length, but for its function `measure`.
struct ShareMetric {
  Metric metric;
  Normaliser normaliser = Normaliser::torso;
  double threshold = 0;
};

// Fills in what the spec leaves open; the heading is "TITLE@THRESHOLD of the NORMALISER".
inline ShareMetric share_metric(MetricSpec spec, const JointSet& joints, const std::string& title, double threshold) {
  const Normaliser normaliser = normaliser_from(spec.normaliser, joints, "metric " + spec.kind);
  spec.threshold = threshold_of(spec, threshold);
  spec.normaliser = name_of(normaliser);
  Metric metric = metric_by(normaliser, joints);
  metric.name = to_string(spec);
  metric.key = spec.kind;
  metric.threshold = spec.threshold;
  metric.title = title;
  metric.heading = title + to_string({"", spec.threshold, ""}) + " of the " + spec.normaliser;
  return {std::move(metric), normaliser, *spec.threshold};
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
