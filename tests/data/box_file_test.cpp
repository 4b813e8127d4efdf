// read_boxes: boxes of COCO results and annotations, and what is refused.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/data/box_file.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace box_file_test {

namespace pm = posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

TEST_CASE("read_boxes: results give each image its people in order, without other categories and low scores") {
  const TemporaryFolder folder;
  const auto file = folder.write("r.json", R"([
      {"image_id": 5, "category_id": 1, "bbox": [1, 2, 3.5, 4], "score": 0.25},
      {"image_id": 4, "category_id": 1, "bbox": [-1, -2, 30, 40], "score": 1},
      {"image_id": 5, "category_id": 1, "bbox": [5, 6, 7, 8], "score": 0.5, "segmentation": []},
      {"image_id": 5, "category_id": 18, "bbox": [0, 0, 1, 1], "score": 1},
      {"image_id": 6, "category_id": 1, "bbox": [0, 0, 1, 1]}])");
  const pm::BoxFile all = pm::read_boxes(file);
  CHECK(all.boxes.size() == 3);
  CHECK(all.boxes.at(5) == std::vector<pm::Box>{{1, 2, 3.5, 4}, {5, 6, 7, 8}});
  CHECK(all.boxes.at(4) == std::vector<pm::Box>{{-1, -2, 30, 40}});
  const pm::BoxFile sure = pm::read_boxes(file, {.min_score = 0.5});
  CHECK(sure.boxes.at(5) == std::vector<pm::Box>{{5, 6, 7, 8}});
  CHECK(sure.boxes.contains(6));  // without a score
  CHECK(pm::read_boxes(file, {.min_score = 1}).boxes.contains(5) == false);
  CHECK(pm::read_boxes(file, {.category = 18}).boxes.at(5) == std::vector<pm::Box>{{0, 0, 1, 1}});
  CHECK(all.ids.of("000005.jpg") == 5);
  CHECK(pm::read_boxes(folder.write("none.json", "[]")).boxes.empty());  // a detector that found nobody
}

TEST_CASE("read_boxes: an annotation also says whose ids its images have; crowds are left out") {
  const TemporaryFolder folder;
  const pm::BoxFile read = pm::read_boxes(folder.write("a.json", R"({
      "images": [{"id": 9, "file_name": "photo.jpg"}],
      "annotations": [{"id": 1, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 0},
                      {"id": 2, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4], "iscrowd": 1},
                      {"id": 3, "image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 5], "iscrowd": false}]})"));
  CHECK(read.ids.of("photos/photo.jpg") == 9);
  CHECK(read.boxes.at(9) == std::vector<pm::Box>{{1, 2, 3, 4}, {1, 2, 3, 5}});
}

TEST_CASE("read_boxes: what is wrong is said with entry and field") {
  const TemporaryFolder folder;
  const auto entry = [](const std::string& box, const std::string& rest = R"("score": 1)") {
    return R"([{"image_id": 1, "category_id": 1, "bbox": )" + box + ", " + rest + "}]";
  };
  const std::pair<std::string, const char*> cases[] = {
      {"3", "bad.json: expected COCO results (a list) or a COCO annotation (an object), got 3"},
      {"{}", "bad.json.images: expected a value, got nothing"},
      {R"({"images": []})", "bad.json.annotations: expected a value, got nothing"},
      {"[3]", "bad.json: [0]: expected an object"},
      {R"([{"category_id": 1, "bbox": [1, 2, 3, 4]}])", "bad.json: [0].image_id: expected a value, got nothing"},
      {R"([{"image_id": 1, "bbox": [1, 2, 3, 4]}])", "[0].category_id: expected a value, got nothing"},
      {R"([{"image_id": 1, "category_id": 1}])", "[0].bbox: expected a value, got nothing"},
      {entry("[1, 2, 3]"), "[0].bbox: expected x, y, width and height within a million pixels, got [1,2,3]"},
      {entry("[1, 2, 3, \"4\"]"), "[0].bbox: expected x, y, width and height"},
      {entry("[1, null, 3, 4]"), "[0].bbox: expected x, y, width and height"},
      {entry("[1, 2, 3, 1e7]"), "[0].bbox: expected x, y, width and height within a million pixels"},
      {entry("[1, NaN, 3, 4]"), "bad.json"},
      {entry("[1, 1e999, 3, 4]"), "bad.json"},
      {entry("[1, 2, 0, 4]"), "[0].bbox: expected a width and height above 0, got [1,2,0,4]"},
      {entry("[1, 2, 3, -4]"), "[0].bbox: expected a width and height above 0"},
      {entry("[1, 2, 3, 4]", R"("score": 1.5)"), "[0].score: expected a number from 0"},
      {entry("[1, 2, 3, 4]", R"("score": "high")"), "[0].score: expected a number from 0"},
      {entry("[1, 2, 3, 4]", R"("iscrowd": 2)"), "[0].iscrowd: expected an integer from 0 to 1"},
      {R"([{"image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}])",
       "bad.json: expected boxes of category 1, got those of 3; say which category"},
  };
  for (const auto& [text, expected] : cases) {
    const auto file = folder.write("bad.json", text);
    const std::string message = refusal<pm::DataError>([&] { pm::read_boxes(file); });
    CAPTURE(message);
    CHECK(contains(message, expected));
  }
}

}  // namespace box_file_test
