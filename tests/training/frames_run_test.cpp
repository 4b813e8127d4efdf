// Training on several frames of a video: where a joint is can be told from the frame before alone.
#include "refusal.hpp"
#include "training/small_run.hpp"

#include <posemachine/compose.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/frames_input.hpp>
#include <posemachine/model/grey_input.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/trainer.hpp>
#include <posemachine/training/validation_pictures.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

namespace frames_run_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;

namespace {

// clang-format off: compositions, one part after another
struct Net : Network<
    Input<"image", 3>, ConvReLU<8, 5, Norm::batch>, AveragePool<4>, ConvReLU<8, 3>, Conv<3, 1>, Output<"heatmaps">> {};
// clang-format on

Model model_of(std::vector<int> frames) {
  ModelSpec spec;
  spec.joints = JointSet();
  spec.joints.name = "blobs";
  spec.joints.joints = {"bright", "dark"};
  spec.input_height = spec.input_width = 32;
  spec.sigma_px = 4;
  NetworkDescription network{"net", graph_of<Net>(), spec};
  return Model::random(with_frames(with_grey_input(std::move(network)), std::move(frames)), 3);
}

// Videos of two frames: a bright and a dark blob where the joints are, and then nothing but grey.
std::vector<Person> vanishing_people(const small_run::Folder& folder, int count, std::uint64_t seed) {
  std::vector<Person> people;
  for (int i = 0; i < count; ++i) {
    RandomStream stream(seed, Purpose::test, 0, static_cast<std::uint64_t>(i));
    const std::string clip = "v" + std::to_string(seed) + "_" + std::to_string(i) + "_";
    GreyImage before(32, 32, {128});
    Person person{folder / (clip + "2.png"), "made", i + 1, {}, Framing::image};
    for (const std::uint8_t level : {std::uint8_t{255}, std::uint8_t{0}}) {
      const int x = 4 + static_cast<int>(stream.below(24)), y = 4 + static_cast<int>(stream.below(24));
      for (int k = 0; k < 25; ++k) before.at(x + k % 5 - 2, y + k / 5 - 2)[0] = level;
      person.joints.push_back({{double(x), double(y)}, JointState::visible});
    }
    write_png(folder / (clip + "1.png"), before);
    write_png(person.image, GreyImage(32, 32, {128}));
    people.push_back(person);
  }
  return people;
}

TrainOptions options_of(int epochs) {
  TrainOptions options = small_run::tiny_options();
  options.augmentation = {.rotation_deg = 0, .scale_min = 1, .scale_max = 1};
  options.epochs = epochs;
  options.batch = 16;
  options.slice = 8;
  options.rate = 1e-2;
  options.checkpoint_steps = 1'000'000;
  options.validate_epochs = epochs;
  return options;
}

Model trained(std::vector<int> frames, const std::vector<Person>& people, int epochs) {
  Trainer trainer(model_of(std::move(frames)), people, {}, options_of(epochs));
  trainer.run({}, [](const TrainEvent&) {});
  return trainer.result();
}

}  // namespace

TEST_CASE("Trainer: joints that only the frame before shows are found by a network that is fed it, and by no other") {
  const small_run::Folder folder;
  const std::vector<Person> people = vanishing_people(folder, 64, 1), others = vanishing_people(folder, 32, 2);
  EvaluateOptions options;
  options.metrics = {MetricKinds().make("pck@0.15:image", model_of({0}).spec().joints)};
  const auto found = [&](const Model& model) { return evaluate(Estimator(model), others, options).pck().mean; };
  CHECK(found(trained({-1, 0}, people, 80)) > 90);
  CHECK(found(trained({0}, people, 80)) < 40);  // the middle is the best guess
}

TEST_CASE(
    "Trainer: a run on several frames gives the same bytes with one worker and two, and goes on from a checkpoint") {
  const small_run::Folder folder;
  const std::vector<Person> people = vanishing_people(folder, 16, 1), validation = vanishing_people(folder, 4, 2);
  TrainOptions options = options_of(2);
  const auto run = [&](int workers) {
    options.workers = options.loader_workers = workers;
    Trainer trainer(model_of({-1, 0}), people, validation, options);
    CHECK(trainer.find_damaged_headers() == 20);
    CHECK(trainer.damaged().all().empty());
    CHECK(trainer.constant_pose_score().mean >= 0);
    trainer.run({}, [](const TrainEvent&) {});
    return trainer.checkpoint();
  };
  const Checkpoint one = run(1), two = run(2);
  CHECK(one.model.to_bytes() == two.model.to_bytes());
  const Checkpoint back = checkpoint_from_bytes(checkpoint_to_bytes(one), "c");
  CHECK(back.model.spec().frames == std::vector{-1, 0});
  CHECK(Trainer(back, people, validation).step() == 2);
}

TEST_CASE("Trainer: people whose neighbour is damaged are left out of training and validation") {
  const small_run::Folder folder;
  const std::vector<Person> people = vanishing_people(folder, 8, 1), validation = vanishing_people(folder, 4, 2);
  folder.write("v1_3_1.png", "no picture");
  write_png(folder / "v2_0_1.png", GreyImage(20, 20));
  Trainer trainer(model_of({-1, 0}), people, validation, options_of(1));
  CHECK(trainer.find_damaged_headers() == 12);
  CHECK(trainer.damaged().all().size() == 2);
  CHECK(trainer.damaged().contains(folder / "v1_3_2.png"));
  CHECK(contains(trainer.damaged().all().at(folder / "v2_0_2.png"), "expected 32 x 32 pixels"));
  CHECK(trainer.constant_pose_score().mean >= 0);
  trainer.run({}, [](const TrainEvent&) {});
  CHECK(trainer.damaged().all().size() == 2);
  Trainer one(model_of({0}), people, validation, options_of(1));
  one.find_damaged_headers();
  CHECK(one.damaged().all().empty());
}

TEST_CASE("draw_validation: the photograph is drawn, and estimated with the frames beside it") {
  const small_run::Folder folder;
  const Person person = vanishing_people(folder, 1, 1).front();
  Estimator estimator(model_of({-1, 0}));
  const ValidationPictures pictures = draw_validation(estimator, person);
  const GreyImage before = read_image<GreyImage>(folder / "v1_0_1.png"), now = read_image<GreyImage>(person.image);
  const Estimate expected = estimator.estimate_stages(std::vector<ImageView>{before, now});
  const Image by_hand = draw_beside_truth(now, expected, person, estimator.model().spec());
  CHECK(pictures.pose.pixels == by_hand.pixels);
  REQUIRE(pictures.stages.size() == 1);
}

}  // namespace frames_run_test
