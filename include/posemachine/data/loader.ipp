// The definitions of data/loader.hpp.
#pragma once

#include <posemachine/data/loader.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/targets.hpp>

#include <posemachine/data/crop.hpp>
#include <posemachine/data/warp.hpp>

#include <algorithm>
#include <numeric>
#include <optional>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE std::vector<int> epoch_order(std::size_t count, std::uint64_t seed, std::uint64_t epoch,
                                                std::size_t least) {
  std::vector<int> order;
  RandomStream stream(seed, Purpose::order, epoch);
  do {
    const std::size_t first = order.size();
    order.resize(first + count);
    std::iota(order.begin() + static_cast<std::ptrdiff_t>(first), order.end(), 0);
    for (std::size_t i = count; i > 1; --i) std::swap(order[first + i - 1], order[first + stream.below(i)]);
  } while (count > 0 && order.size() < least);
  return order;
}

POSEMACHINE_INLINE Box evaluation_square(const Person& person, int width, int height, const CropRule& crop) {
  const std::optional<Box> box = box_in_image(person, width, height);
  return box ? crop_square(crop, *box) : crop_square(crop, width, height);
}

POSEMACHINE_INLINE Box training_square(const Person& person, int width, int height, const LoaderOptions& options) {
  const bool by_joints = person.framing == Framing::labelled_box;
  const std::optional<Box> joints = by_joints ? detail::labelled_joints_box(person.joints) : std::nullopt;
  if (!joints) return evaluation_square(person, width, height, options.crop);
  const CropRule rule{.box_context = options.labelled_box_context * options.crop.image_scale,
                      .image_scale = options.crop.image_scale};
  return crop_square(rule, *joints);
}

POSEMACHINE_INLINE int photograph_reduction(const Person& person, Size whole, const LoaderOptions& options) {
  if (!options.reduce_photographs) return 1;
  Person seen = person;
  mark_outside(seen.joints, whole.width, whole.height);
  const Box square = training_square(seen, whole.width, whole.height, options);
  return reduction_factor(options.augment ? least_shrink(options.augmentation, square, options.input, seen.joints)
                                          : image_from_input(square, options.input).a);
}

namespace detail {

POSEMACHINE_INLINE std::shared_ptr<PictureCache> cache_of(const LoaderOptions& options) {
  return options.cache_bytes == 0 ? nullptr : std::make_shared<PictureCache>(options.cache_bytes);
}

POSEMACHINE_INLINE void fail_without_photographs(std::size_t people, const DamagedImages& damaged) {
  fail<DataError>({.where = "training set",
                   .expected = "photographs that can be used",
                   .got = "none among those of " + std::to_string(people) + " people",
                   .remedy = damaged.all().begin()->second});
}

}  // namespace detail

POSEMACHINE_INLINE BatchMaker::BatchMaker(std::vector<Person> people, JointSet joints, LoaderOptions options)
    : people_(std::move(people)),
      joints_(std::move(joints)),
      options_(std::move(options)),
      kind_(pixel_kind(options_.colour_order, options_.bit_depth)),
      reader_(options_.frames, kind_, options_.limits, detail::cache_of(options_)) {
  const auto require = [](bool holds, const char* where, const std::string& expected, const std::string& got) {
    if (!holds) fail<UsageError>({.where = where, .expected = expected, .got = got, .remedy = ""});
  };
  require(options_.batch >= 1, "batch", "at least 1", std::to_string(options_.batch));
  require(options_.first >= 0 && options_.first < options_.batch, "first sample",
          "0 to " + std::to_string(options_.batch - 1), std::to_string(options_.first));
  const int most = options_.batch - options_.first;
  require(options_.count >= 0 && options_.count <= most, "count of samples", "0 to " + std::to_string(most),
          std::to_string(options_.count));
  if (options_.count == 0) options_.count = most;
  require(!people_.empty(), "training set", "at least one person", "none");
  require(options_.stride > 0, "stride", "more than 0", std::to_string(options_.stride));
  map_ = {int(options_.input.height / options_.stride), int(options_.input.width / options_.stride)};
  require(map_.height >= 1 && map_.width >= 1, "input", "at least one cell of a map",
          std::to_string(options_.input.width) + " x " + std::to_string(options_.input.height));
  check_pixels<UsageError>(options_.colour_order, options_.bit_depth, "LoaderOptions");
  check_frames<UsageError>(options_.frames, "LoaderOptions.frames");
  require(options_.augmentation.scale_min > 0 && options_.augmentation.scale_max >= options_.augmentation.scale_min,
          "augmentation scale", "0 < scale_min <= scale_max",
          std::to_string(options_.augmentation.scale_min) + " to " + std::to_string(options_.augmentation.scale_max));
  for (const Person& person : people_) {
    require(person.joints.size() == joint_count(), "training set", "people of one joint set",
            std::to_string(person.joints.size()) + " joints in " + person.image.string());
  }
}

POSEMACHINE_INLINE std::uint64_t BatchMaker::steps_per_epoch() const {
  return posemachine::steps_per_epoch(people_.size(), options_.batch);
}

POSEMACHINE_INLINE Batch BatchMaker::operator()(std::uint64_t step) const {
  const std::size_t n = std::size_t(options_.count);
  const std::int64_t maps = std::int64_t(joint_count()) + 1;
  Batch batch;
  batch.step = step;
  batch.epoch = step / steps_per_epoch();
  batch.first = options_.first;
  const std::int64_t channels = channels_of(kind_) * std::ssize(options_.frames);
  batch.images = Tensor({options_.count, channels, options_.input.height, options_.input.width});
  batch.targets = Tensor({options_.count, maps, map_.height, map_.width});
  batch.map_weights = Tensor({options_.count, maps});
  for (const OutputTargets& output : options_.outputs) {
    batch.output_targets.emplace_back(Shape{options_.count, output.channels, output.map.height, output.map.width});
    batch.output_weights.emplace_back(Shape{options_.count, output.channels});
    batch.output_weights.back().values.assign(batch.output_weights.back().values.size(), 1.0f);
  }
  // 0.1 ms for 11,000 people, less than a photograph costs: cheaper than sharing the order between threads.
  const std::vector<int> order = epoch_order(people_.size(), options_.seed, batch.epoch, std::size_t(options_.batch));
  const std::size_t begin = (step % steps_per_epoch()) * std::size_t(options_.batch) + std::size_t(options_.first);
  const auto first = order.begin() + std::ptrdiff_t(begin);
  batch.samples.assign(first, first + std::ptrdiff_t(n));
  for (std::size_t i = 0; i < n; ++i) {
    // How often the step has had the person before: of fewer people than samples, everyone's views differ.
    const auto begin_of_step = first - std::ptrdiff_t(options_.first);
    const auto repeats = std::count(begin_of_step, first + std::ptrdiff_t(i), batch.samples[i]);
    fill(batch, i, static_cast<std::uint64_t>(repeats));
  }
  return batch;
}

POSEMACHINE_INLINE std::pair<Person, FrameImages> BatchMaker::read_sample(int sample, RandomStream stand_ins) const {
  const std::size_t count = people_.size();
  for (std::size_t tried = 0; tried < 2 * count; ++tried) {
    // Drawn, so that nobody stands in for all of a long gap; then one by one, so that nobody is forgotten.
    const std::size_t index = tried == 0 ? std::size_t(sample) : tried < count ? stand_ins.below(count) : tried - count;
    const Person& person = people_[index];
    const auto reduction = [&](Size whole) { return photograph_reduction(person, whole, options_); };
    std::optional<FrameImages> read = reader_.unless_damaged(person.image, options_.damaged.get(), reduction);
    if (read) return {person, std::move(*read)};
  }
  detail::fail_without_photographs(count, *options_.damaged);
}

POSEMACHINE_INLINE std::span<float> BatchMaker::part(Tensor& tensor, std::size_t at) {
  const std::size_t size = tensor.values.size() / std::size_t(tensor.shape[0]);
  return std::span(tensor.values).subspan(at * size, size);
}

POSEMACHINE_INLINE void BatchMaker::fill(Batch& batch, std::size_t at, std::uint64_t repeats) const {
  const int sample = batch.samples[at];
  auto [seen, read] =
      read_sample(sample, RandomStream(options_.seed, Purpose::stand_in, batch.epoch, std::uint64_t(sample), repeats));
  const Size whole = read.whole();
  mark_outside(seen.joints, whole.width, whole.height);
  const Box square = training_square(seen, whole.width, whole.height, options_);
  RandomStream stream(options_.seed, Purpose::augmentation, batch.epoch, std::uint64_t(sample), repeats);
  const Augmentation drawn =
      options_.augment ? draw_augmentation(options_.augmentation, square, options_.input, stream, seen.joints,
                                           sample_range(options_.normalisation, options_.bit_depth), channels_of(kind_))
                       : unaugmented(square, options_.input);
  const std::size_t picture_size =
      static_cast<std::size_t>(channels_of(kind_) * options_.input.height * options_.input.width);
  float* picture_out = part(batch.images, at).data();
  const std::vector<ImageView> views = read.views();
  const std::vector<Affine> views_from_whole = read.views_from_whole();
  for (std::size_t frame = 0; frame < views.size(); ++frame) {
    const Affine view_from_input = compose(views_from_whole[frame], drawn.image_from_input);
    warp(views[frame], view_from_input, options_.input, options_.normalisation, options_.colour_order == "bgr",
         drawn.photometric, picture_out);
    hide(drawn.cutout, options_.input, picture_out, channels_of(kind_));
    picture_out += picture_size;
  }
  TargetOptions targets;
  targets.map = map_;
  targets.stride = options_.stride;
  targets.sigma_px = options_.sigma_px;
  targets.mask_unlabelled = options_.mask_unlabelled;
  const std::vector<Joint> joints = joints_in_input(seen.joints, drawn, joints_);
  render_targets(joints, targets, part(batch.targets, at).data(), part(batch.map_weights, at).data());
  for (std::size_t k = 0; k < options_.outputs.size(); ++k) {
    const OutputTargets& output = options_.outputs[k];
    draw_checked(output, {seen, joints, drawn.image_from_input, drawn.mirrored, options_.input, joints_},
                 {part(batch.output_targets[k], at), part(batch.output_weights[k], at), output.map, output.stride});
  }
}

POSEMACHINE_INLINE BatchLoader::BatchLoader(std::vector<Person> people, JointSet joints, LoaderOptions options,
                                            std::uint64_t start_step)
    : maker_(std::move(people), std::move(joints), std::move(options)),
      batches_(maker_.options().workers, maker_.options().depth, start_step,
               [this](std::uint64_t step) { return maker_(step); }) {}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
