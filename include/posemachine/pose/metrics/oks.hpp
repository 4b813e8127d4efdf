// Object keypoint similarity (OKS) and the average precision and recall by it, as COCO measures poses.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/pose.hpp>

#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// An annotated person of an image. Shapes: pixels, square pixels.
struct OksTruth {
  std::vector<Joint> joints;
  Box box{};
  double area = 0;
  bool ignored = false;  // counts neither as found nor as missed: a crowd, or a person without labelled joints
  bool crowd = false;    // may be matched by several detections; ignored, too
};

/// An estimated person of an image. Shapes: one keypoint per joint; pixels.
struct OksDetection {
  Keypoints keypoints;
  double score = 0;
};

/// One image's people.
struct OksImage {
  std::vector<OksTruth> truths;
  std::vector<OksDetection> detections;
};

/// COCO's figures, from 0 to 1; NaN where no person counts. AP and AR are means over the thresholds 0.5, 0.55, ...
/// 0.95; medium people have areas from 32^2 to 96^2, large ones from 96^2 to 10^10 square pixels.
struct OksPrecision {
  double ap = 0, ap_50 = 0, ap_75 = 0, ap_medium = 0, ap_large = 0;
  double ar = 0, ar_50 = 0, ar_75 = 0, ar_medium = 0, ar_large = 0;
};

/// The figures by COCO's names, in its order. Shapes: 0 to 1.
std::vector<MetricValue> figures_of(const OksPrecision& found);

/// How alike an estimate is to a person, from 0 to 1: the mean over the labelled joints of
/// exp(-distance^2 / (2 area (2 sigma)^2)). Of a person without labelled joints, how near all keypoints are to twice
/// its box. A keypoint that was not found is infinitely far away. Shapes: one sigma per joint. Source: COCO's keypoint
/// evaluation.
double object_keypoint_similarity(const OksTruth& truth, std::span<const Keypoint> keypoints,
                                  std::span<const double> sigmas);

namespace detail {

// pycocotools' thresholds and recalls, rounded as there: equal figures need equal comparisons.
inline constexpr int oks_threshold_count = 10;
constexpr double oks_threshold(int k) { return k == 9 ? 0.95 : 0.5 + k * ((0.95 - 0.5) / 9); }
constexpr double sampled_recall(int k) { return k == 100 ? 1.0 : k * 0.01; }

}  // namespace detail

/// COCO's ten figures over all images. Shapes: one sigma per joint, and as many joints and keypoints of everybody.
/// Errors: UsageError for other numbers of joints. Source: pycocotools, whose figures these are to the last digits.
OksPrecision oks_precision(std::span<const OksImage> images, std::span<const double> sigmas);

namespace detail {

bool has_area(const MeasuredPerson& person, bool by_box);

MetricResult measure_oks(const JointSet& joints, bool by_box, std::span<const MeasuredPerson> people,
                         std::span<const Keypoints> estimates);

}  // namespace detail

/// Average precision and recall by OKS, in percent, of the people and of one estimate for each: `mean` is AP. An
/// estimate's score is the mean of its keypoints'. Crowds and people without labelled joints, whom data sets leave out,
/// are unknown here. By the box: a person's area is 0.53 of its box's, for annotations without areas. Source: COCO's
/// keypoint evaluation.
inline constexpr MetricKind oks_kind{
    .name = "oks",
    .normalisers = "area, box",
    .has_threshold = false,
    .does = "COCO's average precision and recall; :box where the annotation has no areas",
    .make = [](MetricSpec spec, const JointSet& joints) {
      if (spec.normaliser.empty()) spec.normaliser = "area";
      if (spec.normaliser != "area" && spec.normaliser != "box") {
        fail<UsageError>({.where = "metric oks", .expected = "area or box", .got = "\"" + spec.normaliser + "\""});
      }
      if (joints.sigmas.empty()) {
        fail<UsageError>({.where = "metric oks",
                          .expected = "a joint set with sigmas",
                          .got = "the joint set " + joints.name,
                          .remedy = "add \"sigmas\" to the joint set, one number per joint"});
      }
      const bool by_box = spec.normaliser == "box";
      Metric metric;
      metric.name = to_string(spec);
      metric.key = "oks";
      metric.title = "OKS";
      metric.heading = by_box ? "OKS by the box" : "OKS";
      metric.normaliser = spec.normaliser;
      metric.needs = by_box ? "a box and a labelled joint" : "an area and a labelled joint";
      metric.can_measure = [by_box](const MeasuredPerson& person) { return detail::has_area(person, by_box); };
      metric.measure = [joints, by_box](std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates) {
        return detail::measure_oks(joints, by_box, people, estimates);
      };
      return metric;
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/oks.ipp>
#endif
