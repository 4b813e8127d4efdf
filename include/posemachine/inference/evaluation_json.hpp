// The JSON forms of an evaluation: its figures for people and programs, and what a share of it measured, for merge().
#pragma once

#include <posemachine/base/json.hpp>
#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// People, an object per metric of the last stage, and `stages` with the same of every stage. An object holds the
/// metric's whole name, unit, threshold, normaliser, the number of people who could be measured, the mean of the parts,
/// the pooled figure, each group's, and `parts` with value, counted and right of each joint or stick.
Json evaluation_to_json(const EvaluationResult& result);

/// The exact measurements that figures follow from: a list of people with truth, sizes and estimates by stage.
Json measurements_to_json(const EvaluationResult& result);

/// An evaluation from its measurements: the same figures, to the last bit. Shapes: `stage_count` estimates per person.
/// Errors: DataError naming person and field.
EvaluationResult evaluation_from_measurements(const Json& people, std::vector<Metric> metrics, const JointSet& joints,
                                              std::size_t stage_count, const std::string& where);

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/evaluation_json.ipp>
#endif
