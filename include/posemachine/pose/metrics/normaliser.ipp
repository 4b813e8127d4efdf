// The definitions of pose/metrics/normaliser.hpp.
#pragma once

#include <posemachine/pose/metrics/normaliser.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

POSEMACHINE_INLINE const NormaliserWords& words_of(Normaliser normaliser) {
  for (const NormaliserWords& words : normaliser_words) {
    if (words.normaliser == normaliser) return words;
  }
  return normaliser_words.front();
}

}  // namespace detail

POSEMACHINE_INLINE Normaliser normaliser_from(const std::string& name, const JointSet& joints,
                                              const std::string& where) {
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

POSEMACHINE_INLINE std::optional<double> length_of(Normaliser normaliser, const JointSet& joints,
                                                   const MeasuredPerson& person) {
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

POSEMACHINE_INLINE bool can_measure(Normaliser normaliser, const JointSet& joints, const MeasuredPerson& person) {
  if (!has_labelled_joint(person)) return false;
  return normaliser == Normaliser::image || length_of(normaliser, joints, person).has_value();
}

POSEMACHINE_INLINE Metric metric_by(Normaliser normaliser, const JointSet& joints) {
  Metric metric;
  metric.normaliser = name_of(normaliser);
  metric.needs = std::string(words_of(normaliser).needs);
  metric.can_measure = [normaliser, joints](const MeasuredPerson& person) {
    return can_measure(normaliser, joints, person);
  };
  return metric;
}

POSEMACHINE_INLINE ShareMetric share_metric(MetricSpec spec, const JointSet& joints, const std::string& title,
                                            double threshold) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
