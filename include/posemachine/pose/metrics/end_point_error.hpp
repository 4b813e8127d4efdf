// End-point error and the area under PCK's curve: figures without one threshold.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/metrics/normaliser.hpp>

#include <optional>
#include <span>
#include <string>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// In pixels without a normaliser, else in percent of its length.
MetricResult measure_end_point_error(const JointSet& joints, std::optional<Normaliser> normaliser,
                                     std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates);

MetricResult measure_area_under_curve(const JointSet& joints, Normaliser normaliser, double largest,
                                      std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates);

}  // namespace detail

/// End-point error: the mean distance between a joint and its truth, in pixels of the original image; with a
/// normaliser, in percent of its length (the normalised mean error of face landmarks). Joints that were not found have
/// no distance: `right` counts those that have one.
inline constexpr MetricKind end_point_error_kind{
    .name = "epe",
    .normalisers = "torso, box, head, image",
    .has_threshold = false,
    .does = "mean distance in pixels, or in percent of a length, of the joints that were found",
    .make = [](MetricSpec spec, const JointSet& joints) {
      std::optional<Normaliser> normaliser;
      if (!spec.normaliser.empty()) normaliser = normaliser_from(spec.normaliser, joints, "metric epe");
      Metric metric = detail::metric_by(normaliser.value_or(Normaliser::image), joints);
      metric.name = to_string(spec);
      metric.key = "epe";
      metric.title = "end-point error";
      metric.heading = metric.title + (normaliser ? " by the " + spec.normaliser + ", %" : std::string(", px"));
      metric.unit = normaliser ? "%" : "px";
      metric.normaliser = spec.normaliser;
      metric.reports_pooled = true;
      metric.measure = [joints, normaliser](std::span<const MeasuredPerson> people,
                                            std::span<const Keypoints> estimates) {
        return detail::measure_end_point_error(joints, normaliser, people, estimates);
      };
      return metric;
    }};

/// The area under PCK's curve from 0 to a threshold (0.5), in percent of a perfect curve's: by trapezoids over 51
/// samples, as MPII's evaluation code has it. Joints and lengths count as in PCK, by the head as in PCKh.
/// Source: Andriluka et al. 2014.
inline constexpr MetricKind area_under_curve_kind{
    .name = "auc",
    .normalisers = "torso, box, head, image",
    .has_threshold = true,
    .does = "area under PCK's curve from 0 to a threshold (0.5)",
    .make = [](MetricSpec spec, const JointSet& joints) {
      detail::ShareMetric made = detail::share_metric(std::move(spec), joints, "AUC", 0.5);
      made.metric.reports_pooled = true;
      made.metric.measure = [joints, normaliser = made.normaliser, largest = made.threshold](
                                std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates) {
        return detail::measure_area_under_curve(joints, normaliser, largest, people, estimates);
      };
      return std::move(made.metric);
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/end_point_error.ipp>
#endif
