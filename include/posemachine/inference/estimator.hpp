// Estimator: a photograph in, the poses of its people out.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/program.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/inference/compiled_model.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/execution_cache.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/decoders/decoder_kind.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/output_decoders/output_decoder.hpp>
#include <posemachine/pose/pose.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Errors: UsageError naming an option that no estimator can have; stages and tuning are the model's question.
void check(const EstimatorOptions& options);

namespace detail {

// What all estimators of a model share.
struct InferenceModel {
  Model model;
  int stages;          // as EstimatorOptions
  std::string tuning;  // as EstimatorOptions
  CompiledModel compiled;
  std::vector<int> mirrored;          // the joint that each one becomes in a mirror
  std::vector<std::size_t> heatmaps;  // the places of the stages among the outputs

  InferenceModel(const Model& from, const EstimatorOptions& options);

  static engine::ProgramOptions program_options(const EstimatorOptions& options);

  int joint_count() const { return static_cast<int>(mirrored.size()); }
};

}  // namespace detail

/// Estimates poses with a model. Belongs to one thread at a time; a copy is another estimator for another thread that
/// shares model and weights. The square that the network sees follows the model's crop rule. Each of several scales is
/// a run of its own in the same execution, the input's size being the same, so that memory does not depend on them.
/// A second pass does everything again in the square around the joints of the first.
/// A picture of another kind than the model's is converted first, see converted() of data/image_kinds.hpp.
/// A model of several frames, see ModelSpec::frames, takes a picture for each of them, in their order and of one size;
/// what is said of an image holds for frame 0, whose pose it is. FrameReader of data/read_frames.hpp reads them.
/// Keypoints are in pixels of the image, the centre of its first pixel being (0, 0), and never outside it: a peak
/// beyond the edge, where a square reaches over it, is moved to the nearest pixel. Maps with a value that is not
/// finite give a missing keypoint. Scores are the probabilities of the model's calibration, which was made for its last
/// stage, one scale and its own flip averaging, and is an approximation elsewhere; without one, the peaks of the maps,
/// held to 0 to 1.
class Estimator {
 public:
  /// Errors: UsageError for options that check() refuses, or stages that the network does not have; DataError naming a
  /// tuning file that cannot be read or is another machine's; ModelError for a model whose decoder is neither the
  /// library's nor one of own_decoders, unless the options choose another, and for an output whose decoder is neither
  /// the library's nor one of own_output_decoders or wants other channels, unless decode_outputs is false.
  explicit Estimator(const Model& model, const EstimatorOptions& options = {});

  Estimator(const Estimator& other) : Estimator(other.shared_, other.options_) {}
  Estimator& operator=(const Estimator& other) { return *this = Estimator(other); }
  Estimator(Estimator&&) = default;
  Estimator& operator=(Estimator&&) = default;

  /// A copy with other options; weights are shared unless stages or tuning differ. Errors: as the constructor.
  Estimator with(const EstimatorOptions& options) const;

  const Model& model() const { return shared_->model; }
  /// Whether an execution for this size of input is there already: without one, the next image of it takes longer.
  bool is_ready_for(Size input) const { return executions_.contains(input); }
  const EstimatorOptions& options() const { return options_; }

  /// The pose of the one person of an image, found by the image's centre and size alone; Pose::box is the whole image,
  /// or where the second pass looked.
  /// Errors: DataError for an empty image, or an 8-bit one where the model wants 16 bits, or for frames of several
  /// sizes; UsageError for another number of pictures than the model has frames.
  Pose operator()(ImageView image) { return estimate_stages(image).pose; }
  Pose operator()(std::span<const ImageView> frames) { return estimate_stages(frames).pose; }

  /// The poses of the people in the boxes, in their order; Pose::box is that box, or where the second pass looked.
  /// Shapes: boxes in pixels from the image's left top edge.
  /// Errors: UsageError for a box that is empty, not finite or wholly outside the image; DataError as above.
  std::vector<Pose> operator()(ImageView image, std::span<const Box> boxes) {
    return (*this)(std::span<const ImageView>(&image, 1), boxes);
  }
  std::vector<Pose> operator()(std::span<const ImageView> frames, std::span<const Box> boxes);

  /// One person's pose with the maps and keypoints of all stages. `input`: the size the network is fed, {} the model's.
  /// Errors: as above; ModelError for an input that the network cannot take.
  Estimate estimate_stages(ImageView image, const std::optional<Box>& box = {}, Size input = {}) {
    return estimate_stages(std::span<const ImageView>(&image, 1), box, input);
  }
  Estimate estimate_stages(std::span<const ImageView> frames, const std::optional<Box>& box = {}, Size input = {});

 private:
  Estimator(std::shared_ptr<const detail::InferenceModel> shared, const EstimatorOptions& options);

  // The decoders that outputs name; none where the options want none.
  static std::vector<std::optional<OutputDecoder>> output_decoders(const Model& model, const EstimatorOptions& options);

  static void fill_centres(engine::Execution& execution, const ModelSpec& spec, Size input);

  // The frame whose pose it is, of as many pictures as the model has frames, all of one size and none empty.
  ImageView checked_current(std::span<const ImageView> frames) const;

  static void check_box(ImageView image, const Box& box);

  // From the network's input to the image, and into it.
  static void place(Keypoint& keypoint, const Affine& to_image, ImageView image);

  // From the peaks of maps to probabilities. A score of 0, of missing keypoints, stays 0.
  static void calibrate_scores(Estimate& estimate, const Calibration& calibration);

  // Fills in the stages and the keypoints of what the estimate's square shows; returns the last stage's in pixels
  // of the input.
  std::vector<Keypoint> look(Estimate& estimate, std::span<const ImageView> frames, Size input);

  // Fills in the pose's outputs, from the maps and from keypoints in pixels of the input.
  void decode_outputs(Estimate& estimate, std::vector<Keypoint> in_input, Size input, Size image) const;

  // Fills in the maps of every stage, averaged over the scales, and those of other outputs.
  void run_scales(engine::Execution& execution, std::span<const ImageView> frames, Size input,
                  Estimate& estimate) const;

  static Tensor maps_of(const engine::Execution& execution, std::size_t output);

  // Of a model whose early stages alone are computed, those outputs that lie before them.
  std::vector<OutputEstimate> other_outputs(const engine::Execution& execution, const ModelSpec& spec) const;

  // The maps of every stage, averaged with those of the mirrored input where the options or else the model say so.
  // Other outputs go into `outputs` where it is empty.
  std::vector<StageEstimate> run(engine::Execution& execution, Size input, const ModelSpec& spec,
                                 std::vector<OutputEstimate>& outputs) const;

  std::shared_ptr<const detail::InferenceModel> shared_;
  EstimatorOptions options_;
  ExecutionCache executions_;
  DecoderKind decoder_;
  std::vector<std::optional<OutputDecoder>> output_decoders_;  // of ModelSpec::outputs
  std::vector<Estimator> team_;                                // one a thread, for several people
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/estimator.ipp>
#endif
