// images_in: which files of a folder are photographs, and in which order.
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_folder.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace image_folder_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using test_environment::TemporaryFolder;

TEST_CASE("comes_before: numbers count as numbers, the rest by bytes, and any two names have one order") {
  const std::vector<std::string> ordered{"",
                                         "0",
                                         "00",
                                         "1",
                                         "2a",
                                         "2b1",
                                         "9",
                                         "010",
                                         "10",
                                         "10.5",
                                         "10.06",
                                         "18446744073709551615",
                                         "18446744073709551616",
                                         "99999999999999999999999999999999999999999",
                                         "B2",
                                         "a",
                                         "a-1",
                                         "a007.png",
                                         "a07.png",
                                         "a7.png",
                                         "a7b",
                                         "frame_2.jpg",
                                         "frame_02_1.jpg",
                                         "frame_2_3.jpg",
                                         "frame_10.jpg",
                                         "z",
                                         "\xC3\xA9"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t k = 0; k < ordered.size(); ++k) {
      INFO(ordered[i] << " and " << ordered[k]);
      CHECK(pm::comes_before(ordered[i], ordered[k]) == (i < k));
    }
  }
}

TEST_CASE("images_in: JPEG and PNG files as people count, whoever made them first") {
  const TemporaryFolder folder;
  for (const char* name : {"b.jpg", "a.PNG", "c.jpeg", "B.JPG", "a10.jpg", "a9.jpg", "notes.txt", "x.gif", "jpg",
                           "d.jpg~", ".hidden.jpg", "._b.jpg", ".jpg"}) {
    folder.write(name, "x");
  }
  fs::create_directories(folder / "within.jpg");
  folder.write("within.jpg/e.jpg", "x");
  fs::create_symlink(folder / "nowhere.jpg", folder / "link.jpg");  // reading it will say what is wrong
  std::vector<std::string> names;
  for (const fs::path& image : pm::images_in(folder.path())) {
    CHECK(image.parent_path() == folder.path());
    names.push_back(image.filename().string());
  }
  CHECK(names == std::vector<std::string>{"B.JPG", "a.PNG", "a9.jpg", "a10.jpg", "b.jpg", "c.jpeg", "link.jpg"});
}

TEST_CASE("images_in: a folder without images, an absent one and a file are refused by name") {
  const TemporaryFolder folder;
  folder.write("notes.txt", "x");
  CHECK_THROWS_WITH_AS(pm::images_in(folder.path()),
                       doctest::Contains(": expected images (.jpg, .jpeg, .png), got none in this folder"),
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::images_in(folder / "absent"), doctest::Contains("absent: cannot be read: No such"),
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::images_in(folder / "notes.txt"), doctest::Contains("notes.txt: cannot be read: Not a"),
                       pm::DataError);
}

}  // namespace image_folder_test
