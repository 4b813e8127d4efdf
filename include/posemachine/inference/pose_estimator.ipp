// The definitions of PoseEstimator: for one source file of a program, no more (they are not inline).
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/pose_estimator.hpp>
#include <posemachine/model/model.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

struct PoseEstimator::Parts {
  Estimator estimator;
};

PoseEstimator::PoseEstimator(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

PoseEstimator::PoseEstimator(const std::string& model_file, const EstimatorOptions& options)
    : PoseEstimator(std::make_unique<Parts>(Parts{Estimator(Model::load(model_file), options)})) {}

PoseEstimator::PoseEstimator(const PoseEstimator& other) : PoseEstimator(std::make_unique<Parts>(*other.parts_)) {}
PoseEstimator& PoseEstimator::operator=(const PoseEstimator& other) { return *this = PoseEstimator(other); }
PoseEstimator::PoseEstimator(PoseEstimator&& other) noexcept = default;
PoseEstimator& PoseEstimator::operator=(PoseEstimator&& other) noexcept = default;
PoseEstimator::~PoseEstimator() = default;

PoseEstimator PoseEstimator::with(const EstimatorOptions& options) const {
  return PoseEstimator(std::make_unique<Parts>(Parts{parts_->estimator.with(options)}));
}

const ModelSpec& PoseEstimator::spec() const { return parts_->estimator.model().spec(); }
const EstimatorOptions& PoseEstimator::options() const { return parts_->estimator.options(); }

Pose PoseEstimator::operator()(ImageView image) { return parts_->estimator(image); }
Pose PoseEstimator::operator()(std::span<const ImageView> frames) { return parts_->estimator(frames); }
std::vector<Pose> PoseEstimator::operator()(ImageView image, std::span<const Box> boxes) {
  return parts_->estimator(image, boxes);
}
std::vector<Pose> PoseEstimator::operator()(std::span<const ImageView> frames, std::span<const Box> boxes) {
  return parts_->estimator(frames, boxes);
}
Estimate PoseEstimator::estimate_stages(ImageView image, const std::optional<Box>& box, Size input) {
  return parts_->estimator.estimate_stages(image, box, input);
}
Estimate PoseEstimator::estimate_stages(std::span<const ImageView> frames, const std::optional<Box>& box, Size input) {
  return parts_->estimator.estimate_stages(frames, box, input);
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
