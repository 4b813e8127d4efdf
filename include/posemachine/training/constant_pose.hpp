// The constant pose: what a network answers that has learnt where joints usually are, and nothing else.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metric.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Every joint at the place where it is most often in the crops of the people: the peak of the sum of their targets.
/// `most_people` of them, evenly spread, are looked at. Shapes: keypoints in pixels of the network's input; scores the
/// mean of the targets there. Errors: as BatchMaker.
std::vector<Keypoint> constant_pose(std::span<const Person> people, const JointSet& joints, LoaderOptions options,
                                    std::size_t most_people = 500);

/// The result that evaluate() would have of a network that answers `pose` for every crop, by a metric of its joint set.
/// Shapes: pose in pixels of the input; damaged as EvaluateOptions has it; frames as ModelSpec has them: who is left out
/// for want of a frame is left out here, too. Errors: DataError for a photograph that cannot be read; as
/// Metric::measure.
MetricResult measure_constant_pose(std::span<const Keypoint> pose, std::span<const Person> people, const Metric& metric,
                                   const CropRule& crop, Size input, const std::shared_ptr<DamagedImages>& damaged = {},
                                   const std::vector<int>& frames = {0});

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/training/constant_pose.ipp>
#endif
