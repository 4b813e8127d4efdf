// PCK, PCKh and PDJ: the share of joints within a distance of the truth.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/metrics/normaliser.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// Calls judge(person, joint, right) for every labelled joint of the people who have the length: a joint is right within
// threshold * length. Returns how many people that are.
template <class Judge>
int judge_joints(const JointSet& joints, Normaliser normaliser, double threshold,
                 std::span<const MeasuredPerson> people, std::span<const Keypoints> estimates, Judge&& judge) {
  check_measured(joints, people, estimates);
  int measured = 0;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const std::optional<double> length = length_of(normaliser, joints, people[i]);
    if (!length) continue;
    ++measured;
    for (std::size_t j = 0; j < joints.joints.size(); ++j) {
      if (!people[i].truth[j].is_labelled()) continue;
      // The distance to a missing joint is NaN, and no comparison with it is true.
      judge(i, j, distance(estimates[i][j].position, people[i].truth[j].position) <= threshold * *length);
    }
  }
  return measured;
}

Metric make_pck(MetricSpec spec, const JointSet& joints, const std::string& title, double threshold,
                std::vector<bool> counts);

// Which joints count: by the head all but MPII's pelvis and thorax, otherwise all.
std::vector<bool> counting_joints(const JointSet& joints, bool by_head);

}  // namespace detail

/// Percentage of Correct Keypoints: a joint is right within threshold * the normaliser's length, 0.2 unless it is said.
/// Every labelled joint of every person counts, whether visible or not; one that was not found is wrong. A length of 0
/// leaves only exact hits right. Source: Yang and Ramanan 2013; by the torso as LSP's common evaluation code has it.
inline constexpr MetricKind pck_kind{
    .name = "pck",
    .normalisers = "torso, box, head, image",
    .has_threshold = true,
    .does = "joints within a share (0.2) of the torso, or of the box where there is no torso",
    .make = [](MetricSpec spec, const JointSet& joints) {
      return detail::make_pck(std::move(spec), joints, "PCK", 0.2, detail::counting_joints(joints, false));
    }};

/// PCKh of MPII: a joint is right within half of the head length, which is 0.6 of the head box's diagonal. Pelvis and
/// thorax do not count. Published are the pooled figure (MPII's official total) and the mean of the joints, up to a
/// point apart. Source: Andriluka et al. 2014 and its evaluation code.
inline constexpr MetricKind pckh_kind{
    .name = "pckh",
    .normalisers = "head",
    .has_threshold = true,
    .does = "joints within a share (0.5) of the annotated head length; without pelvis and thorax",
    .make = [](MetricSpec spec, const JointSet& joints) {
      if (spec.normaliser.empty()) spec.normaliser = "head";
      Metric metric = detail::make_pck(std::move(spec), joints, "PCKh", 0.5, detail::counting_joints(joints, true));
      metric.reports_pooled = true;
      return metric;
    }};

/// Percentage of Detected Joints: PCK by the torso under the name that DeepPose gave it. Source: Sapp and Taskar 2013;
/// Toshev and Szegedy 2014.
inline constexpr MetricKind pdj_kind{.name = "pdj",
                                     .normalisers = "torso",
                                     .has_threshold = true,
                                     .does = "joints within a share (0.2) of the torso",
                                     .make = [](MetricSpec spec, const JointSet& joints) {
                                       if (spec.normaliser.empty()) spec.normaliser = "torso";
                                       return detail::make_pck(std::move(spec), joints, "PDJ", 0.2,
                                                               detail::counting_joints(joints, false));
                                     }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/pck.ipp>
#endif
