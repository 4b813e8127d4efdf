// The small network learns 8 pictures by heart: people of coloured sticks, every joint in its own colour.
#include "small_run.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

namespace overfit_test {

using namespace posemachine;

namespace {

constexpr int side_px = 128;

void dot(Image& image, Point at, double radius_px, Rgb colour) {
  const int r = static_cast<int>(std::ceil(radius_px));
  for (int y = static_cast<int>(at.y) - r; y <= static_cast<int>(at.y) + r; ++y) {
    for (int x = static_cast<int>(at.x) - r; x <= static_cast<int>(at.x) + r; ++x) {
      if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue;
      if (distance(at, {double(x), double(y)}) <= radius_px) std::copy(colour.begin(), colour.end(), image.at(x, y));
    }
  }
}

// A person about 95 px tall, arms and legs at angles of its own. LSP's order of joints.
std::vector<Joint> stick_figure(RandomStream& stream) {
  const Point hips{stream.uniform(54, 74), stream.uniform(66, 74)};
  const double lean = stream.uniform(-0.3, 0.3);  // radians from upright
  const auto away = [](Point from, double length, double angle) {
    return from + Point{length * std::sin(angle), length * std::cos(angle)};
  };
  const Point neck = away(hips, 36, std::numbers::pi + lean);
  std::vector<Joint> joints(14);
  const auto put = [&](int joint, Point at) { joints[std::size_t(joint)] = {at, JointState::visible}; };
  for (const int side : {-1, 1}) {  // the person faces us: its right is on our left
    const bool right = side < 0;
    const Point hip = hips + Point{6.0 * side, 0};
    const Point knee = away(hip, 20, side * stream.uniform(0.0, 0.9));
    const Point shoulder = neck + Point{11.0 * side, 4};
    const Point elbow = away(shoulder, 15, side * stream.uniform(0.2, 2.4));
    put(right ? 2 : 3, hip);
    put(right ? 1 : 4, knee);
    put(right ? 0 : 5, away(knee, 20, side * stream.uniform(-0.5, 0.5)));
    put(right ? 8 : 9, shoulder);
    put(right ? 7 : 10, elbow);
    put(right ? 6 : 11, away(elbow, 14, side * stream.uniform(0.2, 2.8)));
  }
  put(12, neck);
  put(13, away(neck, 16, std::numbers::pi + lean));
  return joints;
}

std::vector<Person> stick_people(const small_run::Folder& folder, int count) {
  const JointSet set = lsp_joints();
  std::vector<Person> people;
  for (int i = 0; i < count; ++i) {
    RandomStream stream(11, Purpose::test, 0, std::uint64_t(i));
    Image image(side_px, side_px,
                {static_cast<std::uint8_t>(40 + 20 * i), 90, static_cast<std::uint8_t>(200 - 20 * i)});
    Person person{folder / ("stick" + std::to_string(i) + ".png"), "made", i + 1, stick_figure(stream), Framing::image};
    for (const Limb& limb : set.limbs) {
      const Point from = person.joints[std::size_t(limb.from)].position;
      const Point along = person.joints[std::size_t(limb.to)].position - from;
      for (int k = 0; k <= 40; ++k) dot(image, from + (k / 40.0) * along, 1.5, limb.colour);
    }
    for (std::size_t j = 0; j < 14; ++j) {
      const auto level = [&](std::size_t bits) { return static_cast<std::uint8_t>(127 * (bits % 3)); };
      dot(image, person.joints[j].position, 3.5, {level(j), level(j / 3), level(j / 9 + j)});
    }
    write_png(person.image, image);
    people.push_back(person);
  }
  return people;
}

}  // namespace

TEST_CASE("scaling-dilation-small without augmentation learns 8 pictures to PCK@0.2 = 100") {
  const small_run::Folder folder;
  const std::vector<Person> people = stick_people(folder, 8);
  ModelSpec spec;
  spec.input_height = spec.input_width = side_px;
  const Model model = Model::random("scaling-dilation-small", find_network("scaling-dilation-small")->build(), 1, spec);
  TrainOptions options;
  options.augment = false;
  options.batch = 8;
  options.slice = 4;
  options.rate = 4e-3;
  options.warmup_steps = 10;
  options.epochs = 140;  // a step each
  options.checkpoint_steps = 1'000'000;
  Trainer trainer(model, people, {}, options);
  trainer.run({}, [](const TrainEvent&) {});
  CHECK(trainer.step() == 140);
  const EvaluationResult result = evaluate(Estimator(trainer.model()), people);
  CHECK(result.pck().mean == 100);
  CHECK(result.find("pcp_strict")->mean == 100);
  CHECK(evaluate(Estimator(model), people).pck().mean < 30);  // before training
}

}  // namespace overfit_test
