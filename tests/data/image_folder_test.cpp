// images_in: which files of a folder are photographs, and in which order.
#include <posemachine/core/error.hpp>
#include <posemachine/data/image_folder.hpp>

#include <unistd.h>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace image_folder_test {

namespace pm = posemachine;
namespace fs = std::filesystem;

namespace {

// A folder of its own, gone with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("pm_image_folder_" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  void put(const std::string& name) const { std::ofstream(path_ / name) << "x"; }

 private:
  fs::path path_;
};

}  // namespace

TEST_CASE("images_in: JPEG and PNG files by the bytes of their names, whoever made them first") {
  const Folder folder;
  for (const char* name : {"b.jpg", "a.PNG", "c.jpeg", "B.JPG", "a10.jpg", "a9.jpg", "notes.txt", "x.gif", "jpg",
                           "d.jpg~", ".hidden.jpg", "._b.jpg", ".jpg"}) {
    folder.put(name);
  }
  fs::create_directories(folder.path() / "within.jpg");
  folder.put("within.jpg/e.jpg");
  fs::create_symlink(folder.path() / "nowhere.jpg", folder.path() / "link.jpg");  // reading it will say what is wrong
  std::vector<std::string> names;
  for (const fs::path& image : pm::images_in(folder.path())) {
    CHECK(image.parent_path() == folder.path());
    names.push_back(image.filename().string());
  }
  CHECK(names == std::vector<std::string>{"B.JPG", "a.PNG", "a10.jpg", "a9.jpg", "b.jpg", "c.jpeg", "link.jpg"});
}

TEST_CASE("images_in: a folder without images, an absent one and a file are refused by name") {
  const Folder folder;
  folder.put("notes.txt");
  CHECK_THROWS_WITH_AS(pm::images_in(folder.path()),
                       doctest::Contains(": expected images (.jpg, .jpeg, .png), got none in this folder"),
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::images_in(folder.path() / "absent"), doctest::Contains("absent: cannot be read: No such"),
                       pm::DataError);
  CHECK_THROWS_WITH_AS(pm::images_in(folder.path() / "notes.txt"),
                       doctest::Contains("notes.txt: cannot be read: Not a"), pm::DataError);
}

}  // namespace image_folder_test
