// Training batches of one channel, 8 and 16 bits.
#include "noise.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/image_headers.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/inspect_data_set.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/warp.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace loader_grey_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::noise;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

Person person_of(const std::filesystem::path& image) {
  Person person{image, "made", 1, {}, Framing::image};
  for (int j = 0; j < 14; ++j) person.joints.push_back({{5.0 + 2 * j, 40.0 - 2 * j}, JointState::visible});
  return person;
}

// Files depth.png, 16 bits, and grey.png and rgb.png of one grey.
struct Files {
  TemporaryFolder folder;
  DepthImage depth{40, 50};
  GreyImage grey = luma(noise(40, 50, 1));
  Files() {
    RandomStream stream(2, Purpose::test);
    for (std::uint16_t& value : depth.pixels) value = static_cast<std::uint16_t>(stream.below(5000));
    write_png(folder / "depth.png", depth);
    write_png(folder / "grey.png", grey);
    write_png(folder / "rgb.png", rgb_of(grey));
  }
};

LoaderOptions grey_options(int bit_depth) {
  LoaderOptions options;
  options.input = {32, 48};
  options.batch = 1;
  options.colour_order = "grey";
  options.bit_depth = bit_depth;
  options.normalisation = default_normalisation(bit_depth);
  return options;
}

}  // namespace

TEST_CASE("BatchMaker: of 16-bit pictures a batch has one channel, the crop of all 16 bits") {
  const Files files;
  LoaderOptions options = grey_options(16);
  options.augment = false;
  const Batch batch = BatchMaker({person_of(files.folder / "depth.png")}, lsp_joints(), options)(0);
  CHECK(batch.images.shape == Shape{1, 1, 32, 48});
  std::vector<float> expected(32 * 48);
  const Box square = crop_square(options.crop, 40, 50);
  warp(files.depth, image_from_input(square, options.input), options.input, options.normalisation, false, {},
       expected.data());
  CHECK(batch.images.values == expected);
}

TEST_CASE(
    "BatchMaker: augmented samples differ from the plain one within the range, cut-outs and all, the same each time") {
  const Files files;
  LoaderOptions options = grey_options(16);
  options.augmentation.cutout_probability = 1;
  const BatchMaker batches({person_of(files.folder / "depth.png")}, lsp_joints(), options);
  for (std::uint64_t step = 0; step < 5; ++step) {
    const Batch batch = batches(step);
    const std::vector<float>& values = batch.images.values;
    CHECK(values == batches(step).images.values);
    CHECK(values != batches(step + 1).images.values);
    CHECK(std::count(values.begin(), values.end(), 0.0f) >= 4 * 7);  // the least cut-out
    CHECK(*std::max_element(values.begin(), values.end()) < 2);      // contrast of 5000 mm, and 400 mm of brightness
    CHECK(*std::min_element(values.begin(), values.end()) >= -0.5f);
  }
}

TEST_CASE("BatchMaker: a grey network learns the same from a grey file and from an RGB file of that grey") {
  const Files files;
  const BatchMaker grey({person_of(files.folder / "grey.png")}, lsp_joints(), grey_options(8));
  const BatchMaker rgb({person_of(files.folder / "rgb.png")}, lsp_joints(), grey_options(8));
  for (std::uint64_t step = 0; step < 3; ++step) {
    CHECK(grey(step).images.shape == Shape{1, 1, 32, 48});
    CHECK(grey(step).images.values == rgb(step).images.values);
  }
}

TEST_CASE("BatchMaker: 8-bit files for a 16-bit input, and inputs that no picture is made for, are refused") {
  const Files files;
  const BatchMaker batches({person_of(files.folder / "grey.png")}, lsp_joints(), grey_options(16));
  CHECK(contains(refusal<BitDepthError>([&] { batches(0); }), "grey.png: expected samples of 16 bits"));
  LoaderOptions noting = grey_options(16);
  noting.damaged = std::make_shared<DamagedImages>();  // nobody stands in, and nothing is noted
  const BatchMaker others({person_of(files.folder / "grey.png"), person_of(files.folder / "depth.png")}, lsp_joints(),
                          noting);
  CHECK(contains(refusal<BitDepthError>([&] {
                   for (std::uint64_t step = 0; step < 2; ++step) others(step);
                 }),
                 "grey.png: expected samples of 16 bits"));
  CHECK(noting.damaged->all().empty());
  LoaderOptions options = grey_options(16);
  options.colour_order = "rgb";
  const std::vector<Person> people{person_of(files.folder / "depth.png")};
  CHECK(contains(refusal<UsageError>([&] { BatchMaker(people, lsp_joints(), options); }),
                 "LoaderOptions.bit_depth: expected 8 for colours, got 16; 16 bits go with the colour_order grey"));
  options.colour_order = "gray";
  CHECK(contains(refusal<UsageError>([&] { BatchMaker(people, lsp_joints(), options); }),
                 "LoaderOptions.colour_order: expected rgb, bgr or grey, got gray; did you mean \"grey\"?"));
}

TEST_CASE("find_damaged_headers: too few bits are an error of their own, not a damage to go round") {
  const Files files;
  files.folder.write("damaged.png", "\x89PNG\r\n\x1a\n");
  const std::vector<Person> depth{person_of(files.folder / "depth.png"), person_of(files.folder / "damaged.png")};
  DamagedImages damaged;
  CHECK(find_damaged_headers(depth, damaged, 1, {}, 16) == 2);
  CHECK(damaged.all().size() == 1);
  const std::vector<Person> mixed{depth[0], person_of(files.folder / "rgb.png")};
  CHECK(contains(refusal<DataError>([&] { find_damaged_headers(mixed, damaged, 1, {}, 16); }),
                 "rgb.png: expected samples of 16 bits, as the model's input has (bit_depth), got samples of 8"));
  CHECK(damaged.all().size() == 1);
  CHECK(find_damaged_headers(mixed, damaged) == 2);
}

TEST_CASE("find_problems: pictures of 8 bits among such of 16 are named once, and counted") {
  const Files files;
  Annotations annotations{lsp_joints(), {}};
  for (const char* name : {"depth.png", "grey.png"}) annotations.people.push_back(person_of(files.folder / name));
  write_png(files.folder / "second.png", DepthImage(40, 50, {700}));
  annotations.people.push_back(person_of(files.folder / "second.png"));
  const auto images = inspect_images(annotations.people);
  CHECK(images.at(files.folder / "depth.png").bit_depth == 16);
  const std::vector<Finding> findings = find_problems(annotations, images);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == "mixed bit depths");
  CHECK(findings[0].person == 1);
  CHECK(contains(findings[0].text, "grey.png: samples of 8 bits; of all images 1 have 8 bits and 2 have 16"));
  CHECK(statistics_of(annotations, images).images_of_16_bits == 2);
  annotations.people.erase(annotations.people.begin() + 1);
  CHECK(find_problems(annotations, inspect_images(annotations.people)).empty());
}

}  // namespace loader_grey_test
