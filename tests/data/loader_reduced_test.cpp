// Large photographs in training: the scale at which they are decoded, what batches see of it, and what is kept.
#include "data/exif_bytes.hpp"
#include "noise.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/loader.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace loader_reduced_test {

using namespace posemachine;
using test_environment::TemporaryFolder;

namespace {

Person person_of(const std::filesystem::path& image, Size size, Framing framing, double reach) {
  Person person{image, "made", 1, {}, framing};
  for (int j = 0; j < 14; ++j) {
    const Point at{size.width / 2.0 + reach * std::cos(j), size.height / 2.0 + reach * std::sin(2.0 * j)};
    person.joints.push_back({at, JointState::visible});
  }
  return person;
}

/// Smooth waves, and a bright square of `side` pixels where a joint is.
Image photograph(int width, int height, Point mark, int side) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double wave = 30 * std::sin(x / 19.0) + 20 * std::cos(y / 23.0);
      for (std::size_t c = 0; c < 3; ++c) image.at(x, y)[c] = static_cast<std::uint8_t>(std::lround(90 + wave));
    }
  }
  const int left = static_cast<int>(mark.x) - side / 2, top = static_cast<int>(mark.y) - side / 2;
  for (int y = top; y < top + side; ++y) std::fill(image.at(left, y), image.at(left + side, y), std::uint8_t{255});
  return image;
}

/// Photographs of odd sizes, much larger than the input; two people on one of them, of other sizes.
std::vector<Person> large_people(const std::filesystem::path& folder) {
  std::vector<Person> people;
  for (int i = 0; i < 4; ++i) {
    const Size size{401 + 6 * i, 523 - 9 * i};
    const std::filesystem::path path = folder / (i == 3 ? "p3.png" : "p" + std::to_string(i) + ".jpg");
    people.push_back(person_of(path, size, i % 2 ? Framing::labelled_box : Framing::image, 150));
    write_image(path, photograph(size.width, size.height, people.back().joints[0].position, 40));
  }
  people.push_back(person_of(people[0].image, {401, 523}, Framing::labelled_box, 60));
  return people;
}

LoaderOptions small_input() {
  LoaderOptions options;
  options.input = {32, 32};
  options.batch = 2;
  return options;
}

bool equal(const Batch& a, const Batch& b) {
  return a.images.values == b.images.values && a.targets.values == b.targets.values &&
         a.map_weights.values == b.map_weights.values && a.samples == b.samples;
}

std::vector<Batch> batches_of(const std::vector<Person>& people, const LoaderOptions& options, std::uint64_t count) {
  const BatchMaker maker(people, lsp_joints(), options);
  std::vector<Batch> batches;
  for (std::uint64_t step = 0; step < count; ++step) batches.push_back(maker(step));
  return batches;
}

double mean_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) sum += std::abs(double(a.values[i]) - double(b.values[i]));
  return sum / double(a.values.size());
}

}  // namespace

TEST_CASE("least_shrink: no view that is drawn shrinks less, and some come near it, close-ups included") {
  const Size input{64, 48};
  for (const double close_up : {0.0, 0.5}) {
    AugmentOptions options;
    options.close_up_probability = close_up;
    options.turn_probability = 0.3;
    for (const double reach : {20.0, 45.0, 110.0}) {
      Person person = person_of("x.jpg", {300, 260}, Framing::image, reach);
      for (std::size_t j = 9; j < 12; ++j) person.joints[j] = {};  // without labels
      const Box square{0, 0, 300, 300};
      const double least = least_shrink(options, square, input, person.joints);
      double seen = 1e9;
      for (std::uint64_t i = 0; i < 4000; ++i) {
        RandomStream stream(3, Purpose::test, i);
        const Affine m = draw_augmentation(options, square, input, stream, person.joints).image_from_input;
        seen = std::min(seen, std::min(std::hypot(m.a, m.d), std::hypot(m.b, m.e)));
      }
      CAPTURE(close_up);
      CAPTURE(reach);
      CHECK(seen >= least * (1 - 1e-9));
      CHECK(seen < least * 1.02);
    }
  }
}

TEST_CASE(
    "photograph_reduction: by the person's square and the largest zoom; 1 where a view may shrink by less than 4") {
  LoaderOptions options = small_input();  // 32 pixels
  options.crop.image_scale = 1;
  options.augmentation.scale_max = 1.25;
  const Person all = person_of("x.jpg", {100, 100}, Framing::image, 10);
  const auto of_side = [&](int side) { return photograph_reduction(all, {side / 2, side}, options); };
  CHECK(of_side(4 * 32 * 5 / 4 - 1) == 1);
  CHECK(of_side(4 * 32 * 5 / 4) == 2);
  CHECK(of_side(8 * 32 * 5 / 4) == 4);
  CHECK(of_side(16 * 32 * 5 / 4 - 1) == 4);
  CHECK(of_side(16 * 32 * 5 / 4) == 8);
  CHECK(of_side(10'000) == 8);
  options.augment = false;
  CHECK(of_side(4 * 32) == 2);
  options.augment = true;
  options.augmentation.close_up_probability = 0.01;  // of joints that lie close together: 0.4 of the square
  CHECK(of_side(16 * 32 * 5 / 4) == 2);
  options.augmentation.close_up_probability = 0;
  // A small person on a large photograph is seen in all pixels there are.
  const Person small = person_of("x.jpg", {3000, 4000}, Framing::labelled_box, 50);
  CHECK(photograph_reduction(small, {3000, 4000}, options) == 1);
  CHECK(photograph_reduction(all, {3000, 4000}, options) == 8);
  options.reduce_photographs = false;
  CHECK(photograph_reduction(all, {3000, 4000}, options) == 1);
}

TEST_CASE("BatchMaker: photographs as small as LSP's give the bytes of whole decoding, JPEG and PNG") {
  const TemporaryFolder folder;
  std::vector<Person> people;
  for (int i = 0; i < 6; ++i) {
    const Size size{110 + 7 * i, 151 - 3 * i};
    const std::filesystem::path path = folder / ("p" + std::to_string(i) + (i % 3 ? ".jpg" : ".png"));
    write_image(path, test_environment::noise(size.width, size.height, std::uint64_t(i)));
    people.push_back(person_of(path, size, i % 2 ? Framing::labelled_box : Framing::image, 45));
  }
  LoaderOptions options = small_input();
  options.input = {128, 128};
  options.augmentation.close_up_probability = 0.3;
  const std::vector<Batch> reduced = batches_of(people, options, 6);
  options.reduce_photographs = false;
  const std::vector<Batch> whole = batches_of(people, options, 6);
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(equal(reduced[i], whole[i]));
}

TEST_CASE("BatchMaker: of large photographs targets keep their bytes, and pictures differ by under 0.01 in the mean") {
  const TemporaryFolder folder;
  const std::vector<Person> people = large_people(folder.path());
  LoaderOptions options = small_input();
  std::vector<int> factors;
  for (std::size_t i = 0; i < people.size(); ++i) {
    const ImageHeader header = read_image_header(people[i].image);
    factors.push_back(photograph_reduction(people[i], header.size, options));
  }
  CHECK(std::count(factors.begin(), factors.end(), 1) == 1);  // the small one
  CHECK(*std::max_element(factors.begin(), factors.end()) >= 4);
  const std::vector<Batch> reduced = batches_of(people, options, 20);
  options.reduce_photographs = false;
  const std::vector<Batch> whole = batches_of(people, options, 20);
  bool any = false;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(reduced[i].targets.values == whole[i].targets.values);
    CHECK(reduced[i].map_weights.values == whole[i].map_weights.values);
    CHECK(mean_difference(reduced[i].images, whole[i].images) < 0.01);  // 1 is 255 levels
    any = any || reduced[i].images.values != whole[i].images.values;
  }
  CHECK(any);
}

TEST_CASE("BatchMaker: frames of a clip that were turned in different ways show the same place") {
  const TemporaryFolder folder;
  const Size size{397, 525};  // 8 cells leave 5 over each way
  const Person person = person_of(folder / "clip_2.jpg", size, Framing::image, 150);
  Image upright(size.width, size.height);
  for (int y = 170; y < 230; ++y) std::fill(upright.at(240, y), upright.at(300, y), std::uint8_t{250});
  Image half_turn = upright;  // as a camera held upside down stores it
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      std::copy_n(upright.at(size.width - 1 - x, size.height - 1 - y), 3, half_turn.at(x, y));
    }
  }
  folder.write("clip_1.jpg", test_environment::with_orientation(encode_jpeg(half_turn), 3, true));
  folder.write("clip_2.jpg", encode_jpeg(upright));
  LoaderOptions options = small_input();
  options.frames = {-1, 0};
  options.batch = 1;
  options.augment = false;
  options.normalisation.mean = {0, 0, 0};  // black beyond the edge, too
  CHECK(photograph_reduction(person, size, options) == 8);
  const auto centre_of = [](const float* plane) {
    double sum = 0, x = 0, y = 0;
    for (int i = 0; i < 32 * 32; ++i) {
      const double value = std::max(0.0, double(plane[i]) - 0.02);
      sum += value, x += value * (i % 32), y += value * (i / 32);
    }
    REQUIRE(sum > 1);
    return Point{x / sum, y / sum};
  };
  const Batch batch = BatchMaker({person}, lsp_joints(), options)(0);
  const Point before = centre_of(batch.images.values.data());
  const Point now = centre_of(batch.images.values.data() + 3 * 32 * 32);
  CHECK(distance(before, now) < 0.1);
}

TEST_CASE("BatchLoader: reduced and kept or not, the bytes are the same for all workers, depths and budgets") {
  const TemporaryFolder folder;
  const std::vector<Person> people = large_people(folder.path());
  LoaderOptions options = small_input();
  const std::vector<Batch> reference = batches_of(people, options, 9);
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{60'000}, std::size_t{100'000'000}}) {
    for (const auto& [workers, depth] : {std::pair{1, 1}, {3, 8}}) {
      options.cache_bytes = bytes;
      options.workers = workers;
      options.depth = depth;
      BatchLoader loader(people, lsp_joints(), options);
      for (const Batch& expected : reference) CHECK(equal(loader.next(), expected));
    }
  }
}

TEST_CASE("BatchMaker: what is kept is not read again; with a budget of 0 it is") {
  const TemporaryFolder folder;
  const std::vector<Person> people = large_people(folder.path());
  LoaderOptions options = small_input();
  options.batch = 5;
  const std::vector<Batch> reference = batches_of(people, options, 3);
  const BatchMaker reads(people, lsp_joints(), options);
  options.cache_bytes = 100'000'000;
  const BatchMaker keeps(people, lsp_joints(), options);
  // Room for none but the smallest pictures: others are read as ever.
  options.cache_bytes = 40'000;
  const BatchMaker keeps_some(people, lsp_joints(), options);
  for (const BatchMaker* maker : {&reads, &keeps, &keeps_some}) CHECK(equal((*maker)(0), reference[0]));
  for (const Person& person : people) std::filesystem::remove(person.image);
  CHECK_THROWS_AS(reads(1), DataError);
  CHECK_THROWS_AS(keeps_some(1), DataError);
  for (std::size_t step = 1; step < 3; ++step) CHECK(equal(keeps(step), reference[step]));
}

TEST_CASE("BatchMaker: several frames are kept file by file, and a grey network keeps grey pictures") {
  const TemporaryFolder folder;
  std::vector<Person> people;
  for (int i = 0; i < 3; ++i) {
    const std::filesystem::path path = folder / ("clip_" + std::to_string(i) + ".jpg");
    write_image(path, photograph(300, 260, {100.0 + 10 * i, 100}, 30));
    people.push_back(person_of(path, {260, 300}, Framing::image, 90));
  }
  LoaderOptions options = small_input();
  options.batch = 3;
  options.frames = {-1, 0};
  options.colour_order = "grey";
  const std::vector<Batch> reference = batches_of(people, options, 3);
  options.cache_bytes = 10'000'000;
  const BatchMaker keeps(people, lsp_joints(), options);
  CHECK(equal(keeps(0), reference[0]));
  for (const Person& person : people) std::ofstream(person.image, std::ios::trunc) << "no picture";
  for (std::size_t step = 1; step < 3; ++step) CHECK(equal(keeps(step), reference[step]));
}

TEST_CASE("BatchMaker: a damaged photograph is noted as ever, kept ones or not, and the same people stand in") {
  const TemporaryFolder folder;
  const std::vector<Person> people = large_people(folder.path());
  const std::string file = encode_jpeg(photograph(514, 407, {100, 100}, 40));
  std::ofstream(people[1].image, std::ios::binary | std::ios::trunc) << file.substr(0, file.size() / 2);
  LoaderOptions options = small_input();
  const auto run = [&](std::size_t bytes, bool reduces) {
    options.cache_bytes = bytes;
    options.reduce_photographs = reduces;
    options.damaged = std::make_shared<DamagedImages>();
    std::vector<Batch> batches = batches_of(people, options, 6);
    REQUIRE(options.damaged->all().size() == 1);
    return std::pair(std::move(batches), options.damaged->all().begin()->second);
  };
  const auto [batches, message] = run(0, true);
  CHECK(message.find("p1.jpg: expected a whole JPEG image") != std::string::npos);
  const auto [kept, same_message] = run(100'000'000, true);
  CHECK(same_message == message);
  for (std::size_t i = 0; i < batches.size(); ++i) CHECK(equal(batches[i], kept[i]));
  const auto [whole, whole_message] = run(0, false);
  CHECK(whole_message == message);
  for (std::size_t i = 0; i < batches.size(); ++i) CHECK(batches[i].targets.values == whole[i].targets.values);
}

}  // namespace loader_reduced_test
