// The definitions of inference/estimator.hpp.
#pragma once

#include <posemachine/inference/estimator.hpp>

#include <posemachine/data/crop.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/inference/second_pass.hpp>

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/warp.hpp>
#include <posemachine/engine/tuning_file.hpp>
#include <posemachine/pose/decode.hpp>
#include <posemachine/pose/decoders/decoders.hpp>
#include <posemachine/pose/output_decoders/output_decoders.hpp>
#include <posemachine/pose/scale_average.hpp>
#include <posemachine/pose/targets.hpp>
#include <posemachine/schedule/cost_model.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE void check(const EstimatorOptions& options) {
  const auto refuse_unless = [](bool right, const char* where, const char* expected, const std::string& got) {
    if (!right) fail<UsageError>({.where = where, .expected = expected, .got = got});
  };
  refuse_unless(options.threads >= 1, "threads", "at least 1", std::to_string(options.threads));
  const std::vector<double>& scales = options.scales;
  refuse_unless(!scales.empty() && scales.size() <= 64, "scales", "1 to 64", std::to_string(scales.size()));
  for (const double scale : scales) {
    refuse_unless(scale >= 0.1 && scale <= 10, "scales", "numbers from 0.1 to 10", std::to_string(scale));
  }
  const double smallest = *std::min_element(scales.begin(), scales.end());
  refuse_unless(smallest <= 1, "scales", "one of at most 1, which sees the whole crop", std::to_string(smallest));
  if (!options.second_pass) return;
  const SecondPass& second = *options.second_pass;
  refuse_unless(second.min_score >= 0 && second.min_score <= 1, "second_pass.min_score", "0 to 1",
                std::to_string(second.min_score));
  refuse_unless(second.min_joints >= 2, "second_pass.min_joints", "at least 2", std::to_string(second.min_joints));
}

namespace detail {

POSEMACHINE_INLINE InferenceModel::InferenceModel(const Model& from, const EstimatorOptions& options)
    : model(from),
      stages(options.stages),
      tuning(options.tuning),
      compiled(from, options.stages, program_options(options)),
      mirrored(mirror(from.spec().joints)),
      heatmaps(heatmap_outputs(compiled.graph(), from.spec())) {}

POSEMACHINE_INLINE engine::ProgramOptions InferenceModel::program_options(const EstimatorOptions& options) {
  engine::ProgramOptions program;
  if (!options.tuning.empty())
    program.costs = std::make_shared<const schedule::CostModel>(engine::read_tuning(options.tuning));
  return program;
}

// Several pictures as a kind that is wanted, as ImageAs.
class ImagesAs {
 public:
  ImagesAs(std::span<const ImageView> images, PixelKind wanted) {
    for (const ImageView image : images) images_.emplace_back(image, wanted);
  }
  std::vector<ImageView> views() const {
    std::vector<ImageView> views;
    for (const ImageAs& image : images_) views.push_back(image.view());
    return views;
  }

 private:
  std::vector<ImageAs> images_;
};

// The value of an output that the graph has.
POSEMACHINE_INLINE Value output_named(const Graph& graph, const std::string& name) {
  std::size_t place = 0;
  while (output_name(graph, place) != name) ++place;
  return {graph.outputs[place].value};
}

// Rows reversed. Shapes: (C, H, W); rows is C H.
POSEMACHINE_INLINE void mirror_rows(std::span<float> values, std::size_t width) {
  for (std::size_t row = 0; row < values.size(); row += width) {
    const std::span<float> cells = values.subspan(row, width);
    std::reverse(cells.begin(), cells.end());
  }
}

}  // namespace detail

POSEMACHINE_INLINE Estimator::Estimator(const Model& model, const EstimatorOptions& options)
    : Estimator((check(options), std::make_shared<const detail::InferenceModel>(model, options)), options) {}

POSEMACHINE_INLINE Estimator Estimator::with(const EstimatorOptions& options) const {
  check(options);
  const bool same = options.stages == shared_->stages && options.tuning == shared_->tuning;
  return same ? Estimator(shared_, options) : Estimator(model(), options);
}

POSEMACHINE_INLINE std::vector<Pose> Estimator::operator()(std::span<const ImageView> originals,
                                                           std::span<const Box> boxes) {
  const ImageView current = checked_current(originals);
  const detail::ImagesAs wanted(originals, pixel_kind(model().spec()));  // once for all boxes
  const std::vector<ImageView> frames = wanted.views();
  std::vector<Pose> poses(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) check_box(current, boxes[i]);
  if (boxes.size() <= 1 || options_.threads == 1) {
    for (std::size_t i = 0; i < boxes.size(); ++i) poses[i] = estimate_stages(frames, boxes[i]).pose;
    return poses;
  }
  EstimatorOptions single = options_;
  single.threads = 1;
  while (team_.size() < static_cast<std::size_t>(options_.threads)) team_.push_back(with(single));
  Workers workers(options_.threads);
  workers.for_each(static_cast<int>(boxes.size()), [&](int index, int slot) {
    poses[std::size_t(index)] = team_[std::size_t(slot)].estimate_stages(frames, boxes[std::size_t(index)]).pose;
  });
  return poses;
}

POSEMACHINE_INLINE Estimate Estimator::estimate_stages(std::span<const ImageView> originals,
                                                       const std::optional<Box>& box, Size input) {
  const ImageView current = checked_current(originals);
  const int width = current.width(), height = current.height();
  const ModelSpec& spec = shared_->model.spec();
  const detail::ImagesAs wanted(originals, pixel_kind(spec));
  const std::vector<ImageView> frames = wanted.views();
  if (box) check_box(current, *box);
  if (input == Size{}) input = {spec.input_height, spec.input_width};
  Estimate estimate;
  estimate.pose.box = box ? *box : Box{0, 0, double(width), double(height)};
  estimate.square = box ? crop_square(spec.crop, *box) : crop_square(spec.crop, width, height);
  std::vector<Keypoint> in_input = look(estimate, frames, input);
  if (options_.second_pass) {
    if (const std::optional<Box> found = second_pass_box(estimate.pose.keypoints, *options_.second_pass)) {
      estimate.pose.box = *found;
      estimate.square = crop_square(spec.crop, *found);
      in_input = look(estimate, frames, input);
    }
  }
  if (spec.calibration) calibrate_scores(estimate, *spec.calibration);
  decode_outputs(estimate, std::move(in_input), input, {height, width});
  return estimate;
}

POSEMACHINE_INLINE Estimator::Estimator(std::shared_ptr<const detail::InferenceModel> shared,
                                        const EstimatorOptions& options)
    : shared_(std::move(shared)),
      options_(options),
      executions_(shared_->compiled.programs(), shared_->compiled.weights(),
                  {options.threads, options.max_bytes, std::size_t(std::max(1, options.cached_sizes))},
                  [spec = shared_->model.spec()](engine::Execution& execution, Size input) {
                    fill_centres(execution, spec, input);
                  }),
      decoder_(options.decoder ? *options.decoder : DecoderKinds(options.own_decoders).of(shared_->model.spec())),
      output_decoders_(output_decoders(shared_->model, options)) {}

POSEMACHINE_INLINE std::vector<std::optional<OutputDecoder>> Estimator::output_decoders(
    const Model& model, const EstimatorOptions& options) {
  const OutputDecoders known(options.own_output_decoders);
  std::vector<std::optional<OutputDecoder>> decoders;
  for (const OutputSpec& output : model.spec().outputs) {
    decoders.emplace_back();
    if (!options.decode_outputs || output.decoder.empty()) continue;
    const Value value = detail::output_named(model.graph(), output.name);
    decoders.back() = known.of(output, channels(model.graph(), value), model.spec().joints);
  }
  return decoders;
}

POSEMACHINE_INLINE void Estimator::fill_centres(engine::Execution& execution, const ModelSpec& spec, Size input) {
  for (const InputSpec& port : spec.inputs) {
    if (port.role != InputRole::centre_gaussian) continue;
    render_centre_gaussian(input, port.sigma_px, execution.input(port.name).data());
  }
}

POSEMACHINE_INLINE ImageView Estimator::checked_current(std::span<const ImageView> frames) const {
  const std::vector<int>& offsets = shared_->model.spec().frames;
  if (frames.size() != offsets.size()) {
    const std::string count = std::to_string(offsets.size());
    fail<UsageError>({.where = "frames",
                      .expected = offsets.size() == 1 ? "one picture, as the model has one frame"
                                                      : count + " pictures, of the model's frames " +
                                                            frames_text(offsets) + ", where 0 is the one estimated",
                      .got = std::to_string(frames.size())});
  }
  const auto size_text = [](ImageView image) {
    return std::to_string(image.width()) + " x " + std::to_string(image.height());
  };
  const auto place = std::find(offsets.begin(), offsets.end(), 0) - offsets.begin();
  const ImageView current = frames[static_cast<std::size_t>(place)];
  if (current.width() < 1 || current.height() < 1) {
    fail<DataError>({.where = "image", .expected = "at least 1 x 1 pixels", .got = size_text(current)});
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (frames[i].width() == current.width() && frames[i].height() == current.height()) continue;
    fail<DataError>({.where = "frame " + std::to_string(offsets[i]),
                     .expected = size_text(current) + " pixels, as frame 0 has",
                     .got = size_text(frames[i])});
  }
  return current;
}

POSEMACHINE_INLINE void Estimator::check_box(ImageView image, const Box& box) {
  const int width = image.width(), height = image.height();
  const bool finite =
      std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) && std::isfinite(box.height);
  if (finite && box.width > 0 && box.height > 0 && box.x < width && box.y < height && box.x + box.width > 0 &&
      box.y + box.height > 0) {
    return;
  }
  const auto number = [](double value) { return std::to_string(value); };
  fail<UsageError>({.where = "box",
                    .expected = "a box of more than 0 pixels that meets the image of " + std::to_string(width) + " x " +
                                std::to_string(height),
                    .got = number(box.x) + "," + number(box.y) + "," + number(box.width) + "," + number(box.height)});
}

POSEMACHINE_INLINE void Estimator::place(Keypoint& keypoint, const Affine& to_image, ImageView image) {
  if (!keypoint.found()) return;
  const Point at = apply(to_image, keypoint.position);
  keypoint.position = {std::clamp(at.x, 0.0, image.width() - 1.0), std::clamp(at.y, 0.0, image.height() - 1.0)};
}

POSEMACHINE_INLINE void Estimator::calibrate_scores(Estimate& estimate, const Calibration& calibration) {
  for (StageEstimate& stage : estimate.stages) {
    for (Keypoint& keypoint : stage.keypoints) keypoint.score = calibration(keypoint.score);
  }
  for (Keypoint& keypoint : estimate.pose.keypoints) keypoint.score = calibration(keypoint.score);
}

POSEMACHINE_INLINE std::vector<Keypoint> Estimator::look(Estimate& estimate, std::span<const ImageView> frames,
                                                         Size input) {
  const ModelSpec& spec = shared_->model.spec();
  const Affine to_image = image_from_input(estimate.square, input);
  run_scales(executions_.get(input), frames, input, estimate);
  std::vector<Keypoint> in_input;
  for (std::size_t s = 0; s < estimate.stages.size(); ++s) {
    StageEstimate& stage = estimate.stages[s];
    const Graph& graph = shared_->compiled.graph();
    const Value value{graph.outputs[shared_->heatmaps[s]].value};
    stage.keypoints = decode_heatmaps(view_of(stage.maps), shared_->joint_count(), stride_of(graph, value).ratio(),
                                      decoder_, spec.sigma_px);
    in_input = stage.keypoints;
    for (Keypoint& keypoint : stage.keypoints) place(keypoint, to_image, frames.front());  // all are of one size
  }
  estimate.pose.keypoints = estimate.stages.back().keypoints;
  return in_input;
}

POSEMACHINE_INLINE void Estimator::decode_outputs(Estimate& estimate, std::vector<Keypoint> in_input, Size input,
                                                  Size image) const {
  const ModelSpec& spec = shared_->model.spec();
  const Graph& graph = shared_->compiled.graph();
  const Affine at_one = image_from_input(estimate.square, input);
  const double scale = options_.scales.front();  // whose maps other outputs have
  const Affine to_image = image_from_input(scaled_square(estimate.square, scale), input);
  for (std::size_t j = 0; j < in_input.size(); ++j) {
    in_input[j].score = estimate.pose.keypoints[j].score;  // calibrated
    if (scale != 1) in_input[j].position = apply(inverse(to_image), apply(at_one, in_input[j].position));
  }
  for (const OutputEstimate& output : estimate.outputs) {
    const auto of = std::find_if(spec.outputs.begin(), spec.outputs.end(),
                                 [&](const OutputSpec& each) { return each.name == output.name; });
    const std::optional<OutputDecoder>& decoder = output_decoders_[std::size_t(of - spec.outputs.begin())];
    if (!decoder) continue;
    const double stride = stride_of(graph, detail::output_named(graph, output.name)).ratio();
    const MapView<const float> maps = view_of(output.maps);
    estimate.pose.outputs.push_back(
        {output.name, of->decoder,
         decoder->decode({output.name, output.role, maps, stride, in_input, spec.joints, to_image, input, image})});
  }
}

POSEMACHINE_INLINE void Estimator::run_scales(engine::Execution& execution, std::span<const ImageView> frames,
                                              Size input, Estimate& estimate) const {
  const ModelSpec& spec = shared_->model.spec();
  std::vector<StageEstimate>& stages = estimate.stages;
  std::vector<ScaleAverage> averages;
  estimate.outputs.clear();
  for (const double scale : options_.scales) {
    const Affine to_image = image_from_input(scaled_square(estimate.square, scale), input);
    for (const InputSpec& port : spec.inputs) {
      if (port.role != InputRole::image) continue;
      const std::span<float> pixels = execution.input(port.name);
      for (std::size_t i = 0; i < frames.size(); ++i) {
        warp(frames[i], to_image, input, spec.normalisation, spec.colour_order == "bgr", {},
             pixels.data() + i * (pixels.size() / frames.size()));
      }
    }
    stages = run(execution, input, spec, estimate.outputs);
    if (options_.scales.size() == 1 && scale == 1) return;
    averages.resize(stages.size());
    for (std::size_t s = 0; s < stages.size(); ++s) averages[s].add(view_of(stages[s].maps), scale);
  }
  for (std::size_t s = 0; s < stages.size(); ++s) stages[s].maps = averages[s].take();
}

POSEMACHINE_INLINE Tensor Estimator::maps_of(const engine::Execution& execution, std::size_t output) {
  const Shape shape = execution.output_shape(output);  // (1, C, H, W)
  Tensor maps({shape[1], shape[2], shape[3]});
  const auto values = execution.output(output);
  maps.values.assign(values.begin(), values.end());
  return maps;
}

POSEMACHINE_INLINE std::vector<OutputEstimate> Estimator::other_outputs(const engine::Execution& execution,
                                                                        const ModelSpec& spec) const {
  std::vector<OutputEstimate> outputs;
  const Graph& graph = shared_->compiled.graph();
  for (std::size_t place = 0; place < graph.outputs.size(); ++place) {
    for (const OutputSpec& output : spec.outputs) {
      if (output.name == output_name(graph, place)) {
        outputs.push_back({output.name, output.role, maps_of(execution, place)});
      }
    }
  }
  return outputs;
}

POSEMACHINE_INLINE std::vector<StageEstimate> Estimator::run(engine::Execution& execution, Size input,
                                                             const ModelSpec& spec,
                                                             std::vector<OutputEstimate>& outputs) const {
  execution.run();
  std::vector<StageEstimate> stages(shared_->heatmaps.size());
  for (std::size_t s = 0; s < stages.size(); ++s) stages[s].maps = maps_of(execution, shared_->heatmaps[s]);
  if (outputs.empty()) outputs = other_outputs(execution, spec);
  if (!options_.flip_average.value_or(spec.decoder.flip_average)) return stages;
  const auto mirror_inputs = [&] {
    for (const InputSpec& port : spec.inputs) {
      detail::mirror_rows(execution.input(port.name), std::size_t(input.width));
    }
  };
  mirror_inputs();
  execution.run();
  // Centre maps are their own mirror images; turned back, so that the next person finds the same bits.
  mirror_inputs();
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const MapView maps = view_of(stages[s].maps);
    average_flipped(stages[s].maps.values.data(), execution.output(shared_->heatmaps[s]).data(), maps.c, maps.h, maps.w,
                    shared_->mirrored);
  }
  return stages;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
