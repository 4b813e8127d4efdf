#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/data/image_list.hpp>
#include <posemachine/data/person.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace image_list_test {

using namespace posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

namespace {

std::vector<Person> people_of(const std::vector<std::filesystem::path>& images) {
  std::vector<Person> people;
  for (const auto& image : images) people.push_back({.image = image, .dataset = "made", .number = 1, .joints = {}});
  return people;
}

}  // namespace

TEST_CASE("read_image_list: names, ends of paths, paths from the list and whole paths; what is nobody's is kept") {
  const TemporaryFolder folder;
  const auto at = [&](const char* name) { return folder / name; };
  const std::vector<Person> people =
      people_of({at("a/1.jpg"), at("a/1.jpg"), at("a/2.jpg"), at("b/2.jpg"), at("b/3 4.jpg"), at("b/5.jpg")});
  const auto list = folder.write("lists/val.txt", "1.jpg\r\n\n  a/2.jpg \n../b/3 4.jpg\n" + at("b/5.jpg").string() +
                                                      "\n./1.jpg\nnobody.jpg\nx/1.jpg");
  const ListedImages listed = read_image_list(list, people);
  CHECK(listed.images == std::set<std::filesystem::path>{at("a/1.jpg"), at("a/2.jpg"), at("b/3 4.jpg"), at("b/5.jpg")});
  CHECK(listed.unknown == std::vector<std::string>{"nobody.jpg", "x/1.jpg"});
  CHECK(read_image_list(folder.write("empty.txt", "\n \n"), people).images.empty());
}

TEST_CASE("read_image_list: a name of several images, and a list that is not there, are refused") {
  const TemporaryFolder folder;
  const std::vector<Person> people = people_of({folder / "a/2.jpg", folder / "b/2.jpg"});
  const auto list = folder.write("val.txt", "a/2.jpg\n2.jpg\n");
  CHECK(contains(refusal<DataError>([&] { read_image_list(list, people); }),
                 "val.txt, line 2: expected the name of one image, got \"2.jpg\", which 2 have"));
  CHECK(contains(refusal<DataError>([&] { read_image_list(folder / "absent.txt", people); }), "absent.txt"));
  // The one beside the list is meant.
  CHECK(read_image_list(folder.write("a/list.txt", "2.jpg\n"), people).images ==
        std::set<std::filesystem::path>{folder / "a/2.jpg"});
}

}  // namespace image_list_test
