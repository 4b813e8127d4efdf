// Training batches: order, crops, masks, and the same bytes whatever the threads.
#include "temporary_folder.hpp"

#include <posemachine/data/image_headers.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/loader.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace loader_test {

namespace pm = posemachine;
using test_environment::TemporaryFolder;

namespace {

/// Pictures of noise with people whose joints lie on a circle; every third one has unlabelled joints.
std::vector<pm::Person> make_people(const std::filesystem::path& folder, int count) {
  std::vector<pm::Person> people;
  std::uint32_t state = 9;
  for (int i = 0; i < count; ++i) {
    pm::Image image(60 + i, 80 - i);
    for (auto& value : image.pixels) value = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
    const auto path = folder / ("p" + std::to_string(i) + ".png");
    pm::write_png(path, image);
    pm::Person person{path, "made", i + 1, {}, i % 2 ? pm::Framing::labelled_box : pm::Framing::image};
    for (int j = 0; j < 14; ++j) {
      const pm::Point at{image.width / 2.0 + 20 * std::cos(j), image.height / 2.0 + 20 * std::sin(j)};
      person.joints.push_back({at, i % 3 == 2 && j > 9 ? pm::JointState::unlabelled : pm::JointState::visible});
    }
    people.push_back(person);
  }
  return people;
}

pm::LoaderOptions small() {
  pm::LoaderOptions options;
  options.input = {32, 48};
  options.batch = 3;
  return options;
}

bool equal(const pm::Batch& a, const pm::Batch& b) {
  return a.images.values == b.images.values && a.targets.values == b.targets.values &&
         a.map_weights.values == b.map_weights.values && a.samples == b.samples && a.step == b.step &&
         a.epoch == b.epoch;
}

}  // namespace

TEST_CASE("epoch_order: every person once, another order for another epoch or seed, the same for the same") {
  const std::vector<int> order = pm::epoch_order(101, 5, 0);
  std::vector<int> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<int> all(101);
  std::iota(all.begin(), all.end(), 0);
  CHECK(sorted == all);
  CHECK(order != all);
  CHECK(order == pm::epoch_order(101, 5, 0));
  CHECK(order != pm::epoch_order(101, 5, 1));
  CHECK(order != pm::epoch_order(101, 6, 0));
}

TEST_CASE("training_square: the image's rule for photos cut around a person, the labelled box for others") {
  pm::LoaderOptions options = small();
  options.crop.image_scale = 1.1;
  options.labelled_box_context = 1.5;
  using enum pm::JointState;
  const std::vector<pm::Joint> joints{
      {{19.5, 29.5}, visible}, {{39.5, 69.5}, occluded}, {{900, 0}, outside}, {{0, 900}, unlabelled}};
  pm::Person person{"x.jpg", "made", 1, joints};
  CHECK(pm::training_square(person, 100, 80, options) == pm::crop_square(options.crop, 100, 80));
  person.framing = pm::Framing::labelled_box;
  const pm::Box square = pm::training_square(person, 100, 80, options);
  CHECK(square.width == doctest::Approx(40 * 1.5 * 1.1));
  CHECK(square.height == square.width);
  CHECK(pm::centre(square).x == doctest::Approx(30));
  CHECK(pm::centre(square).y == doctest::Approx(50));
  person.joints.push_back({{500, 500}, visible, 0});  // weight 0: unlabelled
  CHECK(pm::training_square(person, 100, 80, options) == square);
  person.joints[1].weight = 0.25f;  // any other weight counts in full
  CHECK(pm::training_square(person, 100, 80, options) == square);
  person.joints.resize(1);  // one joint gives no size
  CHECK(pm::training_square(person, 100, 80, options) == pm::crop_square(options.crop, 100, 80));
}

TEST_CASE("BatchLoader: the same bytes for any number of workers and any depth, across epochs") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 8);  // batches of 3: two steps an epoch, two people left over
  std::vector<pm::Batch> reference;
  {
    const pm::BatchMaker maker(people, pm::lsp_joints(), small());
    CHECK(maker.steps_per_epoch() == 2);
    for (std::uint64_t step = 0; step < 7; ++step) reference.push_back(maker(step));
  }
  for (const auto& [workers, depth] : {std::pair{1, 1}, {1, 4}, {2, 3}, {3, 8}}) {
    pm::LoaderOptions options = small();
    options.workers = workers;
    options.depth = depth;
    pm::BatchLoader loader(people, pm::lsp_joints(), options);
    for (const pm::Batch& expected : reference) CHECK(equal(loader.next(), expected));
  }
}

TEST_CASE("BatchLoader: a loader started at a later step continues as the first one would have") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 8);
  pm::BatchLoader whole(people, pm::lsp_joints(), small());
  for (int step = 0; step < 3; ++step) whole.next();
  pm::BatchLoader resumed(people, pm::lsp_joints(), small(), 3);
  for (int step = 3; step < 6; ++step) CHECK(equal(resumed.next(), whole.next()));
}

TEST_CASE("BatchLoader: a part of each step has the bytes that stand there in the whole, and prepares nothing else") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 8);
  const pm::BatchMaker whole(people, pm::lsp_joints(), small());
  for (const std::pair<int, int>& range : {std::pair{0, 1}, {1, 2}, {2, 0}, {0, 3}}) {
    const int first = range.first, count = range.second;
    pm::LoaderOptions options = small();
    options.first = first;
    options.count = count;
    pm::BatchLoader loader(people, pm::lsp_joints(), options);
    CHECK(loader.steps_per_epoch() == 2);
    for (std::uint64_t step = 0; step < 5; ++step) {
      INFO("samples " << first << " and on, step " << step);
      const pm::Batch all = whole(step);
      const pm::Batch part = loader.next();
      const auto equals_all = [&](const pm::Tensor& mine, const pm::Tensor& theirs) {
        REQUIRE(mine.shape[0] == (count == 0 ? 1 : count));
        const auto row = std::ptrdiff_t(theirs.values.size() / 3);
        const auto begin = theirs.values.begin() + first * row;
        return std::equal(mine.values.begin(), mine.values.end(), begin, begin + mine.shape[0] * row);
      };
      CHECK(equals_all(part.images, all.images));
      CHECK(equals_all(part.targets, all.targets));
      CHECK(equals_all(part.map_weights, all.map_weights));
      CHECK(part.first == first);
      CHECK(std::equal(part.samples.begin(), part.samples.end(), all.samples.begin() + first));
      CHECK(part.epoch == all.epoch);
    }
  }
  // The photograph of the first sample cannot be read: the others do not need it.
  std::ofstream(people[std::size_t(whole(0).samples[0])].image) << "no picture";
  pm::LoaderOptions options = small();
  options.first = 1;
  CHECK_NOTHROW(pm::BatchMaker(people, pm::lsp_joints(), options)(0));
  CHECK_THROWS_AS(whole(0), pm::DataError);
}

TEST_CASE("BatchLoader: an epoch holds nobody twice, and the shapes are those of the network") {
  const TemporaryFolder folder;
  pm::BatchLoader loader(make_people(folder.path(), 8), pm::lsp_joints(), small());
  std::set<int> seen;
  for (int step = 0; step < 2; ++step) {
    const pm::Batch batch = loader.next();
    CHECK(batch.epoch == 0);
    CHECK(batch.images.shape == pm::Shape{3, 3, 32, 48});
    CHECK(batch.targets.shape == pm::Shape{3, 15, 4, 6});
    CHECK(batch.map_weights.shape == pm::Shape{3, 15});
    seen.insert(batch.samples.begin(), batch.samples.end());
  }
  CHECK(seen.size() == 6);
  CHECK(loader.next().epoch == 1);
}

TEST_CASE("BatchLoader: unlabelled joints are masked, labelled ones are not, after mirroring too") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 9);
  const pm::BatchMaker maker(people, pm::lsp_joints(), small());
  int masked = 0;
  for (std::uint64_t step = 0; step < 12; ++step) {
    const pm::Batch batch = maker(step);
    for (std::size_t i = 0; i < 3; ++i) {
      int zeros = 0;  // joints 10 to 13 lack labels: L elbow and L wrist (or, mirrored, R), neck, head top
      for (std::size_t j = 0; j < 14; ++j) zeros += batch.map_weights.values[i * 15 + j] == 0;
      CHECK(zeros == (batch.samples[i] % 3 == 2 ? 4 : 0));
      if (zeros != 0) CHECK(batch.map_weights.values[i * 15 + 12] == 0);
      masked += zeros;
    }
  }
  CHECK(masked > 0);
}

TEST_CASE("BatchLoader: a map weighs what its joint does, mirrored what its partner does, and no pixel changes") {
  const TemporaryFolder folder;
  const auto plain = make_people(folder.path(), 9);
  auto weighted = plain;
  for (std::size_t i = 0; i < weighted.size(); ++i) {  // every weight is another, 14 / 256 to 148 / 256
    for (std::size_t j = 0; j < 14; ++j) weighted[i].joints[j].weight = static_cast<float>(14 + 15 * i + j) / 256;
  }
  const pm::BatchMaker plain_maker(plain, pm::lsp_joints(), small());
  const pm::BatchMaker maker(weighted, pm::lsp_joints(), small());
  const std::vector<int> partner = pm::mirror(pm::lsp_joints());
  int as_they_are = 0, mirrored = 0;
  for (std::uint64_t step = 0; step < 12; ++step) {
    const pm::Batch batch = maker(step);
    const pm::Batch expected = plain_maker(step);
    CHECK(batch.images.values == expected.images.values);
    CHECK(batch.targets.values == expected.targets.values);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto sample = static_cast<std::size_t>(batch.samples[i]);
      const auto weights_of = [&](bool flipped) {
        std::vector<float> weights;
        for (std::size_t j = 0; j < 14; ++j) {
          const pm::Joint& joint = weighted[sample].joints[flipped ? static_cast<std::size_t>(partner[j]) : j];
          weights.push_back(joint.is_labelled() ? joint.weight : 0);
        }
        weights.push_back(*std::min_element(weights.begin(), weights.end()));
        return weights;
      };
      const auto row = batch.map_weights.values.begin() + std::ptrdiff_t(15 * i);
      const std::vector<float> got(row, row + 15);
      CHECK((got == weights_of(false) || got == weights_of(true)));
      as_they_are += got == weights_of(false);
      mirrored += got == weights_of(true);
    }
  }
  CHECK(as_they_are > 5);
  CHECK(mirrored > 5);
}

TEST_CASE("BatchLoader: joints of weight 0 give the bytes of unlabelled ones, crop and masks included") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 9);
  auto unlabelled = people;
  auto weightless = people;
  for (std::size_t i = 0; i < people.size(); ++i) {
    for (std::size_t j = i % 5; j < 14; j += 3) {
      unlabelled[i].joints[j] = {};
      weightless[i].joints[j].weight = 0;
    }
  }
  for (const bool mask : {true, false}) {
    pm::LoaderOptions options = small();
    options.mask_unlabelled = mask;
    const pm::BatchMaker expected(unlabelled, pm::lsp_joints(), options);
    const pm::BatchMaker maker(weightless, pm::lsp_joints(), options);
    for (std::uint64_t step = 0; step < 6; ++step) CHECK(equal(maker(step), expected(step)));
  }
}

TEST_CASE("BatchLoader: without augmentation a sample is the same in every epoch, with it never") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 3);
  for (const bool augment : {false, true}) {
    pm::LoaderOptions options = small();
    options.batch = 1;
    options.augment = augment;
    const pm::BatchMaker maker(people, pm::lsp_joints(), options);
    std::vector<std::vector<float>> first(3);
    for (std::uint64_t step = 0; step < 6; ++step) {
      const pm::Batch batch = maker(step);
      auto& known = first[std::size_t(batch.samples[0])];
      if (known.empty()) {
        known = batch.images.values;
      } else {
        CHECK((known == batch.images.values) == !augment);
      }
    }
  }
}

TEST_CASE("BatchLoader: a damaged photograph is an error that names it, at the step that needs it") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 3);
  std::ofstream(people[1].image) << "no picture";
  pm::BatchLoader loader(people, pm::lsp_joints(), small());
  try {
    loader.next();
    FAIL("no error");
  } catch (const pm::DataError& error) {
    CHECK(std::string(error.what()).find("p1.png: expected a JPEG or PNG image") != std::string::npos);
  }
}

TEST_CASE("BatchLoader: of a damaged photograph another person stands in, and all others' samples stay as they were") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 6);
  pm::LoaderOptions options = small();
  const pm::BatchMaker before(people, pm::lsp_joints(), options);
  std::vector<pm::Batch> sound;
  for (std::uint64_t step = 0; step < 4; ++step) sound.push_back(before(step));
  std::ofstream(people[2].image, std::ios::trunc) << "no picture";
  CHECK_THROWS_AS((before(0), before(1)), pm::DataError);
  options.damaged = std::make_shared<pm::DamagedImages>();
  const pm::BatchMaker maker(people, pm::lsp_joints(), options);
  int stand_ins = 0;
  for (std::uint64_t step = 0; step < 4; ++step) {
    const pm::Batch batch = maker(step);
    CHECK(batch.samples == sound[step].samples);
    const std::size_t size = batch.images.values.size() / batch.samples.size();
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
      const auto part = [&](const pm::Batch& of) {
        const auto first = of.images.values.begin() + static_cast<std::ptrdiff_t>(i * size);
        return std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size));
      };
      const bool damaged = batch.samples[i] == 2;
      stand_ins += damaged ? 1 : 0;
      CHECK((part(batch) == part(sound[step])) == !damaged);
    }
  }
  CHECK(stand_ins == 2);  // in each of two epochs
  REQUIRE(options.damaged->all().size() == 1);
  CHECK(options.damaged->all().begin()->second.find("p2.png") != std::string::npos);
  // A maker that knows nothing of the first one gives the same.
  options.damaged = std::make_shared<pm::DamagedImages>();
  CHECK(equal(pm::BatchMaker(people, pm::lsp_joints(), options)(1), maker(1)));
  // Nor does it matter that headers were read before.
  options.damaged = std::make_shared<pm::DamagedImages>();
  for (const int threads : {1, 3}) CHECK(pm::find_damaged_headers(people, *options.damaged, threads) == 6);
  CHECK(options.damaged->all().size() == 1);
  CHECK(options.damaged->all().begin()->second.find("p2.png: expected a JPEG or PNG") != std::string::npos);
  CHECK(equal(pm::BatchMaker(people, pm::lsp_joints(), options)(1), maker(1)));
  for (const pm::Person& person : people) std::ofstream(person.image, std::ios::trunc) << "no picture";
  CHECK_THROWS_WITH_AS(maker(0), doctest::Contains("got none among those of 6 people"), pm::DataError);
}

TEST_CASE("BatchLoader: an absent photograph is gone round as a damaged one is, by the same people") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 6);
  pm::LoaderOptions options = small();
  const auto batches = [&] {
    options.damaged = std::make_shared<pm::DamagedImages>();
    const pm::BatchMaker maker(people, pm::lsp_joints(), options);
    std::vector<pm::Batch> made;
    for (std::uint64_t step = 0; step < 8; ++step) made.push_back(maker(step));
    return made;
  };
  for (const std::size_t gone : {2u, 3u, 4u}) std::ofstream(people[gone].image, std::ios::trunc) << "no picture";
  const std::vector<pm::Batch> damaged = batches();
  for (const std::size_t gone : {2u, 3u, 4u}) std::filesystem::remove(people[gone].image);
  const std::vector<pm::Batch> absent = batches();
  for (std::size_t step = 0; step < damaged.size(); ++step) CHECK(equal(absent[step], damaged[step]));
  CHECK(options.damaged->all().size() == 3);
  CHECK(options.damaged->all().begin()->second == people[2].image.string() + ": absent");
  // Deleted while the run is under way.
  const pm::BatchMaker maker(people, pm::lsp_joints(), options);
  (void)maker(0);
  std::filesystem::remove(people[0].image);
  for (std::uint64_t step = 0; step < 4; ++step) CHECK_NOTHROW(maker(step));
  CHECK(options.damaged->contains(people[0].image));
  // Headers say it before.
  pm::DamagedImages found;
  CHECK(pm::find_damaged_headers(people, found) == 6);
  CHECK(found.all() == options.damaged->all());
  for (const pm::Person& person : people) std::filesystem::remove(person.image);
  CHECK_THROWS_WITH_AS(maker(0), doctest::Contains("got none among those of 6 people; "), pm::DataError);
}

TEST_CASE("BatchLoader: several people stand in for a long gap, not the one behind it") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 40);
  for (std::size_t i = 4; i < people.size(); ++i) std::filesystem::remove(people[i].image);
  pm::LoaderOptions options = small();
  options.augment = false;
  options.damaged = std::make_shared<pm::DamagedImages>();
  const pm::BatchMaker maker(people, pm::lsp_joints(), options);
  std::map<std::vector<float>, int> seen;
  for (std::uint64_t step = 0; step < maker.steps_per_epoch(); ++step) {
    const pm::Batch batch = maker(step);
    const std::size_t size = batch.images.values.size() / batch.samples.size();
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
      const auto first = batch.images.values.begin() + static_cast<std::ptrdiff_t>(i * size);
      ++seen[std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size))];
    }
  }
  CHECK(seen.size() == 4);
  for (const auto& [picture, count] : seen) CHECK(count < 20);  // 9 or 10 each where the draw is even
}

TEST_CASE("BatchLoader: a photograph that is there and cannot be opened ends the run") {
  const TemporaryFolder folder;
  auto people = make_people(folder.path(), 3);
  std::filesystem::remove(people[1].image);
  std::filesystem::create_symlink(people[1].image, people[1].image);  // leads to itself, whatever the rights
  pm::LoaderOptions options = small();
  options.damaged = std::make_shared<pm::DamagedImages>();
  const pm::BatchMaker maker(people, pm::lsp_joints(), options);
  CHECK_THROWS_WITH_AS(maker(0), doctest::Contains("p1.png: cannot be opened"), pm::DataError);
  CHECK_THROWS_WITH_AS(pm::find_damaged_headers(people, *options.damaged), doctest::Contains("p1.png"), pm::DataError);
  CHECK(options.damaged->all().empty());
}

TEST_CASE("BatchLoader: fewer people than a batch has samples are in it more than once, as evenly as can be") {
  const TemporaryFolder folder;
  for (const int count : {1, 2, 3}) {
    pm::LoaderOptions options = small();
    options.batch = 7;
    const pm::BatchMaker maker(make_people(folder.path(), count), pm::lsp_joints(), options);
    CHECK(maker.steps_per_epoch() == 1);
    for (std::uint64_t step = 0; step < 3; ++step) {
      const pm::Batch batch = maker(step);
      CHECK(batch.epoch == step);
      REQUIRE(batch.samples.size() == 7);
      std::vector<int> times(static_cast<std::size_t>(count), 0);
      for (const int sample : batch.samples) ++times[static_cast<std::size_t>(sample)];
      for (const int each : times) CHECK((each == 7 / count || each == 7 / count + 1));
    }
  }
  // One person seven times: seven views.
  pm::LoaderOptions options = small();
  options.batch = 7;
  const pm::Batch batch = pm::BatchMaker(make_people(folder.path(), 1), pm::lsp_joints(), options)(0);
  const std::size_t size = batch.images.values.size() / 7;
  std::set<std::vector<float>> views;
  for (std::size_t i = 0; i < 7; ++i) {
    const auto first = batch.images.values.begin() + static_cast<std::ptrdiff_t>(i * size);
    views.insert({first, first + static_cast<std::ptrdiff_t>(size)});
  }
  CHECK(views.size() == 7);
  // Prepared in parts, the step is the same.
  options.first = 3;
  options.count = 4;
  const pm::Batch part = pm::BatchMaker(make_people(folder.path(), 1), pm::lsp_joints(), options)(0);
  CHECK(std::equal(part.images.values.begin(), part.images.values.end(),
                   batch.images.values.begin() + static_cast<std::ptrdiff_t>(3 * size)));
  CHECK_THROWS_AS(pm::BatchMaker({}, pm::lsp_joints(), small()), pm::UsageError);
}

TEST_CASE("training_square, evaluation_square: around the annotated box, or the labelled joints; the same for both") {
  pm::LoaderOptions options = small();
  pm::Person person;
  person.joints = {{{10, 20}, pm::JointState::visible}, {{30, 40}, pm::JointState::visible}, {{500, 500}, {}}};
  person.framing = pm::Framing::box;
  person.box = pm::Box{0, 10, 40, 60};
  const pm::Box square = pm::evaluation_square(person, 640, 480, options.crop);
  CHECK(square == pm::crop_square(options.crop, *person.box));
  CHECK(pm::training_square(person, 640, 480, options) == square);
  person.box.reset();
  const pm::Box around = pm::evaluation_square(person, 640, 480, options.crop);
  CHECK(around == pm::crop_square(options.crop, pm::Box{20.5 - 11.5, 30.5 - 11.5, 23, 23}));
  CHECK(pm::training_square(person, 640, 480, options) == around);
  person.joints.push_back({{5000, 40}, pm::JointState::visible});  // beyond the image: not part of either
  CHECK(pm::evaluation_square(person, 640, 480, options.crop) == around);
  pm::Person marked = person;
  pm::mark_outside(marked.joints, 640, 480);
  CHECK(pm::training_square(marked, 640, 480, options) == around);
  person.joints.pop_back();
  person.box = pm::Box{700, 500, 20, 20};  // off the image
  CHECK(pm::evaluation_square(person, 640, 480, options.crop) == pm::crop_square(options.crop, 640, 480));
  person.box.reset();
  person.joints.resize(1);  // no size
  CHECK(pm::evaluation_square(person, 640, 480, options.crop) == pm::crop_square(options.crop, 640, 480));
}

TEST_CASE("BatchLoader: options without sense are refused") {
  const TemporaryFolder folder;
  const auto people = make_people(folder.path(), 3);
  const auto refused = [&](auto change) {
    pm::LoaderOptions options = small();
    change(options);
    CHECK_THROWS_AS(pm::BatchMaker(people, pm::lsp_joints(), options), pm::UsageError);
  };
  refused([](pm::LoaderOptions& o) { o.batch = 0; });
  refused([](pm::LoaderOptions& o) { o.first = 3; });
  refused([](pm::LoaderOptions& o) { o.first = -1; });
  refused([](pm::LoaderOptions& o) { o.first = 1, o.count = 3; });
  refused([](pm::LoaderOptions& o) { o.count = -1; });
  refused([](pm::LoaderOptions& o) { o.stride = 0; });
  refused([](pm::LoaderOptions& o) { o.input = {4, 64}; });
  refused([](pm::LoaderOptions& o) { o.colour_order = "hsv"; });
  refused([](pm::LoaderOptions& o) { o.augmentation.scale_min = 0; });
  std::vector<pm::Person> other = people;
  other[2].joints.resize(16);
  CHECK_THROWS_AS(pm::BatchMaker(other, pm::lsp_joints(), small()), pm::UsageError);
}

}  // namespace loader_test
