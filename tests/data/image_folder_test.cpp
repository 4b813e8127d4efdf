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

TEST_CASE("images_in: JPEG and PNG files by the bytes of their names, whoever made them first") {
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
  CHECK(names == std::vector<std::string>{"B.JPG", "a.PNG", "a10.jpg", "a9.jpg", "b.jpg", "c.jpeg", "link.jpg"});
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
