// Normalisers: the torso, the box, the head or the image, by which metrics divide lengths.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

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

const NormaliserWords& words_of(Normaliser normaliser);

}  // namespace detail

inline std::string name_of(Normaliser normaliser) { return std::string(detail::words_of(normaliser).name); }

/// The normaliser of a name; an empty one is the torso, or the box where the joint set has no torso. Errors: UsageError
/// for another name, or for the torso of a joint set that has none.
Normaliser normaliser_from(const std::string& name, const JointSet& joints, const std::string& where);

/// The person's length, in pixels; none where it is unknown.
std::optional<double> length_of(Normaliser normaliser, const JointSet& joints, const MeasuredPerson& person);

namespace detail {

// Whether an annotation has what is needed; the image's side is known only once the image is read.
bool can_measure(Normaliser normaliser, const JointSet& joints, const MeasuredPerson& person);

// Fills in what all metrics by a normaliser have in common.
Metric metric_by(Normaliser normaliser, const JointSet& joints);

// A metric by a share of a length, but for its function `measure`, and what that one needs.
struct ShareMetric {
  Metric metric;
  Normaliser normaliser = Normaliser::torso;
  double threshold = 0;
};

// Fills in what the spec leaves open; the heading is "TITLE@THRESHOLD of the NORMALISER".
ShareMetric share_metric(MetricSpec spec, const JointSet& joints, const std::string& title, double threshold);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/normaliser.ipp>
#endif
