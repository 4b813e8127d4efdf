// PCP: the share of body parts of which both ends lie where they should.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// When PCP calls a stick right.
enum class PcpRule {
  strict,  // both ends within half of the stick's true length
  loose,   // the mean of both ends' errors within half of it: higher, and not comparable with strict
};

namespace detail {

/// The middle of one or two joints of anything that has positions.
template <class Position>
Point middle(const std::vector<int>& joints, Position&& position) {
  Point sum{};
  for (const int joint : joints) sum = sum + position(static_cast<std::size_t>(joint));
  return (1.0 / static_cast<double>(joints.size())) * sum;
}

bool is_labelled(const Stick& stick, const MeasuredPerson& person);

bool is_right(const Stick& stick, PcpRule rule, double threshold, const MeasuredPerson& person,
              const Keypoints& estimate);

Metric make_pcp(MetricSpec spec, const JointSet& joints, PcpRule rule);

}  // namespace detail

/// Percentage of Correct Parts over the joint set's sticks, an end between two joints being their middle: both ends lie
/// within a threshold (0.5) of the stick's true length. Every stick of every person counts whose joints are all
/// labelled; where one was not found it is wrong. A true stick of length 0 leaves only exact hits right. Source:
/// Ferrari et al. 2008; strict and loose as Pishchulin et al. 2012 tell them apart.
inline constexpr MetricKind pcp_strict_kind{.name = "pcp_strict",
                                            .normalisers = "",
                                            .has_threshold = true,
                                            .does = "sticks of which both ends lie within half of the true length",
                                            .make = [](MetricSpec spec, const JointSet& joints) {
                                              return detail::make_pcp(std::move(spec), joints, PcpRule::strict);
                                            }};

/// The same, but that the mean of both ends' errors counts.
inline constexpr MetricKind pcp_loose_kind{
    .name = "pcp_loose",
    .normalisers = "",
    .has_threshold = true,
    .does = "sticks of which the ends' mean error is within half of the true length",
    .make = [](MetricSpec spec, const JointSet& joints) {
      return detail::make_pcp(std::move(spec), joints, PcpRule::loose);
    }};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/pose/metrics/pcp.ipp>
#endif
