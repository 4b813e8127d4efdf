// PoseEstimator: an Estimator for programs that only estimate; its parts are compiled once, elsewhere.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/pose.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Does what Estimator does with a model file, and costs a translation unit a tenth of its time: oneDNN, oneTBB and JSON
/// stay behind a pointer. The definitions are in pose_estimator.ipp, which one source file of the program includes;
/// the CMake target posemachine::estimate brings that file. For models with operations of a user's own take Estimator.
/// Belongs to one thread at a time; a copy is another estimator for another thread that shares model and weights.
class PoseEstimator {
 public:
  /// Errors: DataError or ModelError for what is wrong with the file, as Model::load; UsageError for fewer than
  /// 1 thread, or stages that the network does not have.
  explicit PoseEstimator(const std::string& model_file, const EstimatorOptions& options = {});

  PoseEstimator(const PoseEstimator& other);
  PoseEstimator& operator=(const PoseEstimator& other);
  PoseEstimator(PoseEstimator&& other) noexcept;
  PoseEstimator& operator=(PoseEstimator&& other) noexcept;
  ~PoseEstimator();

  /// A copy with other options; weights are shared unless the stages differ. Errors: as the constructor.
  PoseEstimator with(const EstimatorOptions& options) const;

  /// What the model's file says of joints, input size, frames, crop and decoder.
  const ModelSpec& spec() const;
  const EstimatorOptions& options() const;

  /// As Estimator's functions of the same names.
  Pose operator()(ImageView image);
  Pose operator()(std::span<const ImageView> frames);
  std::vector<Pose> operator()(ImageView image, std::span<const Box> boxes);
  std::vector<Pose> operator()(std::span<const ImageView> frames, std::span<const Box> boxes);
  Estimate estimate_stages(ImageView image, const std::optional<Box>& box = {}, Size input = {});
  Estimate estimate_stages(std::span<const ImageView> frames, const std::optional<Box>& box = {}, Size input = {});

 private:
  struct Parts;
  explicit PoseEstimator(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
