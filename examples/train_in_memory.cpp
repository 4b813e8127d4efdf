// train_in_memory MODEL: trains a network on pictures that never were files, step by step, saves it and looks at new
// pictures with it: docs/how_to/train_in_cpp.md.
#include <posemachine/estimate.hpp>
#include <posemachine/train.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace {

constexpr int side = 48;  // pixels

// clang-format off: compositions, one part after another
// docs: begin network
struct Needle : pm::Network<
    pm::Input<"image", 3>, pm::ConvReLU<16, 3, pm::Norm::batch>, pm::MaxPool<2>, pm::ConvReLU<16, 3, pm::Norm::batch>, pm::MaxPool<2>,
    pm::ConvReLU<24, 3, pm::Norm::batch>, pm::ConvReLU<24, 3, pm::Norm::batch>,
    pm::Conv<3, 1, pm::ConvolutionOptions{.init = pm::Init::near_zero}>, pm::Output<"heatmaps">> {};
// docs: end network
// clang-format on

// docs: begin sample
struct Sample {
  pm::Image picture;
  std::vector<pm::Joint> joints;  // in pixels of the picture
};

// A needle somewhere, its eye blue and its tip red.
Sample draw_needle(pm::RandomStream& random) {
  const auto anywhere = [&] { return pm::Point{random.uniform(6, side - 7), random.uniform(6, side - 7)}; };
  const pm::Point eye = anywhere(), tip = anywhere();
  Sample sample{pm::Image(side, side, {90, 90, 90}), {}};
  pm::draw_line(sample.picture, eye, tip, 2, {200, 200, 200});
  pm::draw_disc(sample.picture, eye, 3, {40, 60, 220});
  pm::draw_disc(sample.picture, tip, 3, {220, 50, 40});
  sample.joints = {{eye, pm::JointState::visible}, {tip, pm::JointState::visible}};
  return sample;
}
// docs: end sample

// docs: begin batch
// The batch of a step: any pictures, any augmentation (here the light), targets that the library draws.
pm::Batch make_batch(const pm::LoaderOptions& needs, std::uint64_t step) {
  const pm::Size map{side / int(needs.stride), side / int(needs.stride)};
  const std::int64_t maps = 2 + 1;  // joints and background
  pm::Batch batch;
  batch.images = pm::Tensor({needs.batch, 3, side, side});
  batch.targets = pm::Tensor({needs.batch, maps, map.height, map.width});
  batch.map_weights = pm::Tensor({needs.batch, maps});
  const auto part = [&](pm::Tensor& tensor, int at) {
    const std::size_t size = tensor.values.size() / std::size_t(needs.batch);
    return std::span(tensor.values).subspan(std::size_t(at) * size, size).data();
  };
  for (int i = 0; i < needs.batch; ++i) {
    pm::RandomStream random(needs.seed, pm::Purpose::augmentation, step, std::uint64_t(i));
    const Sample sample = draw_needle(random);
    const double light = random.uniform(0.7, 1.3);
    const pm::Photometric colours{.gain = {light, light, light}};
    const pm::Affine whole = pm::image_from_input({0, 0, side, side}, needs.input);
    pm::warp(sample.picture, whole, needs.input, needs.normalisation, false, colours, part(batch.images, i));
    pm::render_targets(sample.joints, {.map = map, .stride = needs.stride, .sigma_px = needs.sigma_px},
                       part(batch.targets, i), part(batch.map_weights, i));
  }
  return batch;
}
// docs: end batch

// docs: begin train
pm::Model train(int steps) {
  pm::ModelSpec spec;
  spec.joints = pm::joint_set_from_names("needle", {"eye", "tip"});
  spec.input_height = spec.input_width = side;
  spec.sigma_px = 4;

  pm::TrainOptions options;
  options.batch = 16;
  options.average_decay = 0.98;

  pm::TrainingStep step(pm::Model::random<Needle>(1, spec), options);
  const pm::LearningRate rate{.base = 1e-2, .schedule = "cosine", .warmup_steps = 20, .total_steps = steps};
  for (int i = 0; i < steps; ++i) {
    const pm::StepResult result = step(make_batch(step.loader_options(), std::uint64_t(i)), pm::rate_at(rate, i));
    if (i % 50 == 0) std::printf("step %d: loss %.3f, gradient %.3f\n", i, result.losses.back(), result.gradient_norm);
  }
  return step.result();  // of averaged weights
}
// docs: end train

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: train_in_memory MODEL.safetensors\n");
    return 2;
  }
  try {
    train(250).save(argv[1]);
    pm::Estimator estimator(pm::Model::load(argv[1]));
    int right = 0;
    constexpr int count = 50;
    for (int i = 0; i < count; ++i) {
      pm::RandomStream random(2, pm::Purpose::test, 0, std::uint64_t(i));
      const Sample sample = draw_needle(random);
      const pm::Pose pose = estimator(sample.picture);
      for (std::size_t joint = 0; joint < 2; ++joint) {
        if (pm::distance(pose.keypoints[joint].position, sample.joints[joint].position) < 3) ++right;
      }
    }
    std::printf("%d of %d ends found within 3 pixels\n", right, 2 * count);
    return right >= 90 ? 0 : 1;
  } catch (const pm::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
