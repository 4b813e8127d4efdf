// The frames of a video in files: which are found, how they are read, and what batches they make.
#include "noise.hpp"
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/damaged_images.hpp>
#include <posemachine/data/frames.hpp>
#include <posemachine/data/image_headers.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/inspect_data_set.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/read_frames.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace frames_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::noise;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

using Names = std::vector<std::string>;

// Names of the frames that are found around a file of the folder.
Names found(FrameFinder& find, const TemporaryFolder& folder, const std::string& name,
            const std::vector<int>& offsets) {
  Names names;
  for (const std::filesystem::path& file : find(folder / name, offsets)) {
    CHECK(file.parent_path() == (folder / name).parent_path());
    names.push_back(file.filename().string());
  }
  return names;
}

// A clip of five pictures of noise, every fifth frame of a video: clip_0.png, clip_5.png, ..., clip_20.png.
struct Clip {
  TemporaryFolder folder;
  std::vector<Image> pictures;
  Clip() {
    for (int i = 0; i < 5; ++i) {
      pictures.push_back(noise(40, 50, static_cast<std::uint64_t>(i)));
      write_png(file(i), pictures.back());
    }
  }
  std::filesystem::path file(int i) const { return folder / ("clip_" + std::to_string(5 * i) + ".png"); }
};

Person person_of(const std::filesystem::path& image) {
  Person person{image, "made", 1, {}, Framing::image};
  for (int j = 0; j < 14; ++j) person.joints.push_back({{5.0 + 2 * j, 40.0 - 2 * j}, JointState::visible});
  return person;
}

LoaderOptions options_of(std::vector<int> frames) {
  LoaderOptions options;
  options.input = {32, 48};
  options.batch = 3;
  options.frames = std::move(frames);
  return options;
}

}  // namespace

TEST_CASE("FrameFinder: numbers order the frames, whatever lies between them; the ends stand in for what is beyond") {
  const TemporaryFolder folder;
  for (const char* name : {"f_5.png", "f_10.png", "f_15.png", "f_100.png"}) folder.write(name, "");
  FrameFinder find;
  CHECK(found(find, folder, "f_10.png", {-1, 0, 1, 2}) == Names{"f_5.png", "f_10.png", "f_15.png", "f_100.png"});
  CHECK(found(find, folder, "f_5.png", {-16, -1, 0, 1}) == Names{"f_5.png", "f_5.png", "f_5.png", "f_10.png"});
  CHECK(found(find, folder, "f_100.png", {-2, 0, 1, 16}) == Names{"f_10.png", "f_100.png", "f_100.png", "f_100.png"});
}

TEST_CASE("FrameFinder: frames differ in the last run of digits of their names alone") {
  const TemporaryFolder folder;
  for (const char* name : {"cam1_7_left.png", "cam1_8_left.png", "cam1_9_right.png", "cam2_9_left.png",
                           "cam1_9_left.jpg", "cam1_9_left.PNG", "cam1_9_left.mask.png", "7.png", "007.png", "8.png",
                           "cover.png", "a_1.png", "99999999999999999999.png", "take3.mp4.png"}) {
    folder.write(name, "");
  }
  std::filesystem::create_directories(folder / "a_2.png");
  FrameFinder find;
  const std::vector<int> offsets{-1, 0, 1};
  CHECK(found(find, folder, "cam1_8_left.png", offsets) ==
        Names{"cam1_7_left.png", "cam1_8_left.png", "cam1_8_left.png"});
  CHECK(found(find, folder, "8.png", offsets) == Names{"7.png", "8.png", "99999999999999999999.png"});
  CHECK(found(find, folder, "7.png", offsets) == Names{"007.png", "7.png", "8.png"});
  // Alone, without digits, and not there at all: the photograph is all frames. A folder is no frame.
  for (const char* name : {"cam1_9_right.png", "cover.png", "a_1.png", "cam1_10_left.png", "take3.mp4.png"}) {
    CHECK(found(find, folder, name, offsets) == Names{name, name, name});
  }
  CHECK(find("no_such_7.png", offsets) == std::vector<std::filesystem::path>(3, "no_such_7.png"));
}

TEST_CASE("FrameFinder: a folder is listed once, and not at all for the photograph alone") {
  const TemporaryFolder folder;
  folder.write("f_1.png", "");
  FrameFinder find;
  CHECK(found(find, folder, "f_1.png", {0, 1}) == Names{"f_1.png", "f_1.png"});
  folder.write("f_2.png", "");
  CHECK(found(find, folder, "f_1.png", {0, 1}) == Names{"f_1.png", "f_1.png"});
  FrameFinder later;
  CHECK(found(later, folder, "f_1.png", {0, 1}) == Names{"f_1.png", "f_2.png"});
  CHECK(found(later, folder, "none/f_1.png", {0}) == Names{"f_1.png"});
  CHECK(found(later, folder, "none/f_1.png", {0, 1}) == Names{"f_1.png", "f_1.png"});  // an absent one has none
  CHECK(contains(refusal<DataError>([&] { later(folder / "f_1.png/f_1.png", std::vector{0, 1}); }),
                 "f_1.png: cannot be listed for frames: "));
}

TEST_CASE("FrameFinder: many threads that ask about several folders at once find what one finds") {
  const TemporaryFolder folder;
  for (int i = 0; i < 60; ++i) folder.write(std::to_string(i % 3) + "/f" + std::to_string(i) + ".png", "");
  FrameFinder shared;
  std::vector<std::vector<std::filesystem::path>> all(600);
  const std::vector<int> offsets{-2, 0, 3};
  const auto image = [&](int i) { return folder / (std::to_string(i % 3) + "/f" + std::to_string(i % 60) + ".png"); };
  Workers workers(4);
  workers.for_each(600, [&](int i, int) { all[static_cast<std::size_t>(i)] = shared(image(i), offsets); });
  FrameFinder alone;
  for (int i = 0; i < 600; ++i) CHECK(all[static_cast<std::size_t>(i)] == alone(image(i), offsets));
}

TEST_CASE("FrameReader: the pictures of the frames, in the order of the offsets; one picture where they are one file") {
  const Clip clip;
  const FrameReader read({-1, 0, 1}, PixelKind::rgb8);
  const auto pixels = [](ImageView view) { return std::get<0>(converted(view, PixelKind::rgb8)).pixels; };
  const FrameImages inner = read(clip.file(2));
  REQUIRE(inner.views().size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(pixels(inner.views()[i]) == clip.pictures[1 + i].pixels);
  CHECK(pixels(inner.current()) == clip.pictures[2].pixels);
  const FrameImages last = read(clip.file(4));
  CHECK(pixels(last.views()[0]) == clip.pictures[3].pixels);
  CHECK(pixels(last.views()[1]) == clip.pictures[4].pixels);
  CHECK(pixels(last.views()[2]) == clip.pictures[4].pixels);
  const FrameImages still(AnyImage(clip.pictures[0]), std::vector{-1, 0});
  REQUIRE(still.views().size() == 2);
  for (const ImageView view : still.views()) CHECK(pixels(view) == clip.pictures[0].pixels);
  // As the kind that is wanted.
  CHECK(FrameReader({0, 1}, PixelKind::grey8)(clip.file(0)).views()[1].kind() == PixelKind::grey8);
}

TEST_CASE("FrameReader: a frame of another size or that cannot be used makes the photograph useless, naming both") {
  const Clip clip;
  write_png(clip.file(1), noise(30, 20, 9));
  clip.folder.write("clip_15.png", "no picture");
  std::filesystem::create_symlink(clip.folder / "clip_25.png", clip.folder / "clip_25.png");  // leads to itself
  const FrameReader read({-1, 0, 1}, PixelKind::rgb8);
  const std::string first = clip.file(0).string(), small = clip.file(1).string(), middle = clip.file(2).string();
  const std::string size =
      first + ": frame 1: " + small + ": expected 40 x 50 pixels, as " + first + " has, got 30 x 20";
  CHECK(refusal<DataError>([&] { read(clip.file(0)); }) == size);
  CHECK(contains(refusal<DataError>([&] { read(clip.file(1)); }),
                 small + ": frame -1: " + first + ": expected 30 x 20 pixels, as " + small + " has, got 40 x 50"));
  const FrameReader next({0, 1}, PixelKind::rgb8);
  CHECK(contains(refusal<DataError>([&] { next(clip.file(2)); }),
                 middle + ": frame 1: " + clip.file(3).string() + ": expected a JPEG or PNG image"));
  CHECK(contains(refusal<BitDepthError>([&] { FrameReader({0, 1}, PixelKind::grey16)(clip.file(0)); }),
                 "expected samples of 16 bits"));

  // Noted where that is asked for; a file that is there and cannot be opened is no damage.
  DamagedImages damaged;
  CHECK_FALSE(next.unless_damaged(clip.file(0), &damaged).has_value());
  CHECK_FALSE(next.unless_damaged(clip.file(0), &damaged).has_value());
  CHECK_FALSE(next.unless_damaged(clip.file(2), &damaged).has_value());
  CHECK(damaged.all().size() == 2);
  CHECK(damaged.all().at(clip.file(0)) == size);
  CHECK(contains(refusal<DataError>([&] { next.unless_damaged(clip.file(4), &damaged); }), "clip_25.png"));
  CHECK(damaged.all().size() == 2);
  // Absent ones are noted as damaged ones are, a frame that vanished under the photograph's name.
  CHECK_FALSE(next.unless_damaged(clip.folder / "none_1.png", &damaged).has_value());
  CHECK(damaged.all().at(clip.folder / "none_1.png") == (clip.folder / "none_1.png").string() + ": absent");
  std::filesystem::remove(clip.folder / "clip_25.png");
  CHECK_FALSE(next.unless_damaged(clip.file(4), &damaged).has_value());
  CHECK(contains(damaged.all().at(clip.file(4)), "frame 1: " + (clip.folder / "clip_25.png").string()));
  CHECK(FrameReader({0}, PixelKind::rgb8).unless_damaged(clip.file(0), nullptr).has_value());
}

TEST_CASE("FrameReader: a neighbour of 8 bits beside a photograph of 16 is a choice to be made, not a damage") {
  const TemporaryFolder folder;
  write_png(folder / "d_1.png", DepthImage(8, 8, {1000}));
  write_png(folder / "d_2.png", GreyImage(8, 8));
  DamagedImages damaged;
  const FrameReader read({0, 1}, PixelKind::grey16);
  CHECK(contains(refusal<BitDepthError>([&] { read.unless_damaged(folder / "d_1.png", &damaged); }),
                 "d_1.png: frame 1: " + (folder / "d_2.png").string() + ": expected samples of 16 bits"));
  CHECK(contains(refusal<BitDepthError>([&] {
                   find_damaged_headers(std::vector{person_of(folder / "d_1.png")}, damaged, 1, {}, 16, {0, 1});
                 }),
                 "d_2.png: expected samples of 16 bits"));
  CHECK(find_damaged_headers(std::vector{person_of(folder / "d_1.png")}, damaged, 1, {}, 16) == 1);
  CHECK(damaged.all().empty());
}

TEST_CASE("BatchMaker: frames are stacked, each with the crop, the changes and the cut-out of frame 0") {
  const Clip clip;
  std::vector<Person> people;
  for (int i = 0; i < 5; ++i) people.push_back(person_of(clip.file(i)));
  const std::vector<int> offsets{-2, 0, 1};
  LoaderOptions options = options_of(offsets);
  options.augmentation.cutout_probability = 1;
  const BatchMaker batches(people, lsp_joints(), options);
  // Of each frame alone: the same people, each with the frame as its photograph, so that all draws are the same.
  options.frames = {0};
  std::vector<BatchMaker> alone;
  for (const int offset : offsets) {
    std::vector<Person> shifted = people;
    for (int i = 0; i < 5; ++i) {
      const int frame = i + offset < 0 ? 0 : i + offset > 4 ? 4 : i + offset;
      shifted[static_cast<std::size_t>(i)].image = clip.file(frame);
    }
    alone.emplace_back(shifted, lsp_joints(), options);
  }
  constexpr std::size_t picture = 3 * 32 * 48;
  for (std::uint64_t step = 0; step < 3; ++step) {
    const Batch batch = batches(step);
    CHECK(batch.images.shape == Shape{3, 9, 32, 48});
    for (std::size_t frame = 0; frame < 3; ++frame) {
      const Batch expected = alone[frame](step);
      CHECK(batch.targets.values == expected.targets.values);
      for (std::size_t i = 0; i < 3; ++i) {
        const auto got = batch.images.values.begin() + static_cast<std::ptrdiff_t>((3 * i + frame) * picture);
        const auto from = expected.images.values.begin() + static_cast<std::ptrdiff_t>(i * picture);
        CHECK(std::vector<float>(got, got + picture) == std::vector<float>(from, from + picture));
      }
    }
    CHECK(batch.images.values == batches(step).images.values);
  }
}

TEST_CASE("BatchMaker: of photographs without neighbours all frames are the photograph itself") {
  const TemporaryFolder folder;
  write_png(folder / "photo.png", noise(40, 50, 1));
  const Batch batch = BatchMaker({person_of(folder / "photo.png")}, lsp_joints(), options_of({-1, 0}))(0);
  const auto half = batch.images.values.begin() + 3 * 32 * 48;
  CHECK(std::vector<float>(batch.images.values.begin(), half) == std::vector<float>(half, half + 3 * 32 * 48));
}

TEST_CASE("BatchMaker: others stand in for people whose frames are damaged, and the check of headers knows them") {
  const Clip clip;
  std::vector<Person> people;
  for (int i = 0; i < 5; ++i) people.push_back(person_of(clip.file(i)));
  write_png(clip.file(4), noise(30, 20, 9));
  LoaderOptions options = options_of({0, 1});
  const BatchMaker strict(people, lsp_joints(), options);
  CHECK(contains(refusal<DataError>([&] {
                   for (std::uint64_t step = 0; step < 4; ++step) strict(step);
                 }),
                 "expected 40 x 50 pixels"));
  options.damaged = std::make_shared<DamagedImages>();
  const BatchMaker batches(people, lsp_joints(), options);
  for (std::uint64_t step = 0; step < 4; ++step) batches(step);
  REQUIRE(options.damaged->all().size() == 1);
  CHECK(options.damaged->contains(clip.file(3)));  // clip_20 is all frames of its own
  for (const int threads : {1, 3}) {
    DamagedImages by_header;
    CHECK(find_damaged_headers(people, by_header, threads, {}, 8, {0, 1}) == 5);
    CHECK(by_header.all() == options.damaged->all());
    DamagedImages one_frame;
    CHECK(find_damaged_headers(people, one_frame) == 5);
    CHECK(one_frame.all().empty());
  }
  // A neighbour that nobody is annotated on.
  clip.folder.write("clip_25.png", "no picture");
  DamagedImages by_header;
  CHECK(find_damaged_headers(std::vector{people[4], people[0]}, by_header, 1, {}, 8, {0, 1}) == 2);
  REQUIRE(by_header.all().size() == 1);
  CHECK(contains(by_header.all().at(clip.file(4)), "clip_20.png: frame 1: " + (clip.folder / "clip_25.png").string()));
}

TEST_CASE("find_frame_problems: images without other frames, and frames of another size or that are damaged") {
  const Clip clip;
  write_png(clip.folder / "photo.png", noise(40, 50, 7));
  clip.folder.write("clip_20.png", "no picture");
  write_png(clip.file(2), noise(30, 20, 9));
  Annotations annotations{lsp_joints(), {}};
  const std::string photo = (clip.folder / "photo.png").string(), second = clip.file(1).string();
  for (const std::filesystem::path& image : {clip.file(0), clip.file(1), clip.file(1), clip.file(3), clip.file(4)}) {
    annotations.people.push_back(person_of(image));
  }
  annotations.people.push_back(person_of(photo));
  const auto images = inspect_images(annotations.people);
  CHECK(find_frame_problems(annotations, images, std::vector{0}).empty());
  const std::vector<Finding> before = find_frame_problems(annotations, images, std::vector{-1, 0});
  REQUIRE(before.size() == 2);  // the first frame of a clip is no lone one
  CHECK(contains(before[0].text, clip.file(3).string() + ": frame -1: " + clip.file(2).string()));
  const std::vector<Finding> findings = find_frame_problems(annotations, images, std::vector{0, 1});
  REQUIRE(findings.size() == 3);
  CHECK(findings[0].kind == "damaged frame");
  CHECK(findings[0].person == 1);
  CHECK(findings[0].text == second + ": frame 1: " + clip.file(2).string() + ": expected 40 x 50 pixels, as " + second +
                                " has, got 30 x 20");
  CHECK(findings[1].kind == "damaged frame");
  CHECK(contains(findings[1].text, "clip_20.png: expected a JPEG or PNG image"));
  CHECK(findings[2].kind == "no other frame");
  CHECK(findings[2].text == photo + ": no file beside it is another frame of its video");
}

TEST_CASE("BatchMaker: frames that no meaning can have are refused") {
  CHECK(contains(refusal<UsageError>([] { BatchMaker({person_of("a.png")}, lsp_joints(), options_of({-1})); }),
                 "LoaderOptions.frames: expected 0 among the offsets"));
}

}  // namespace frames_test
