// ImageIds: which number is an image's, by its name or by a COCO annotation.
#include "refusal.hpp"
#include "temporary_folder.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/image_ids.hpp>

#include <doctest/doctest.h>

#include <string>

namespace image_ids_test {

namespace pm = posemachine;
using test_environment::contains;
using test_environment::refusal;
using test_environment::TemporaryFolder;

TEST_CASE("number_at_end: the digits at the end of a stem, whatever zeros lead them") {
  CHECK(pm::number_at_end("000000000139") == 139);
  CHECK(pm::number_at_end("COCO_val2014_000000000042") == 42);
  CHECK(pm::number_at_end("frame-7") == 7);
  CHECK(pm::number_at_end("0") == 0);
  CHECK(pm::number_at_end("a000") == 0);
  CHECK(pm::number_at_end("000000999999999999999999") == 999'999'999'999'999'999);
  CHECK_FALSE(pm::number_at_end("1000000000000000000"));
  CHECK_FALSE(pm::number_at_end("12a"));
  CHECK_FALSE(pm::number_at_end(""));
}

TEST_CASE("ImageIds: without an annotation an image's id is the number in its name, and one without is refused") {
  CHECK(pm::ImageIds().of("photos/000000000139.jpg") == 139);
  CHECK(pm::ImageIds().of("8/im12.v2.jpg") == 2);
  CHECK(contains(refusal<pm::UsageError>([] { static_cast<void>(pm::ImageIds().of("8/photo.jpg")); }),
                 "8/photo.jpg: expected a name that ends in its image_id, as 000000000139.jpg does"));
}

TEST_CASE("ImageIds: an annotation's file_name gives the id, by folders only where names alone do not tell") {
  const TemporaryFolder folder;
  const pm::ImageIds ids = pm::read_image_ids(folder.write("a.json", R"({"images": [
      {"id": 7, "file_name": "train/one.jpg"}, {"id": 8, "file_name": "two.jpg", "width": 3},
      {"id": 1, "file_name": "a/same.jpg"}, {"id": 2, "file_name": "b/same.jpg"}], "annotations": []})"));
  CHECK(ids.of("one.jpg") == 7);
  CHECK(ids.of("elsewhere/one.jpg") == 7);
  CHECK(ids.of("/data/two.jpg") == 8);
  CHECK(ids.of("/data/a/same.jpg") == 1);
  CHECK(ids.of("./b/../b/same.jpg") == 2);
  const auto message = [&](const char* image) {
    return refusal<pm::DataError>([&] { static_cast<void>(ids.of(image)); });
  };
  CHECK(contains(message("three.jpg"), "a.json: images: expected one with the file_name of three.jpg, got none"));
  CHECK(contains(message("c/same.jpg"), "got 2 of its name"));
}

TEST_CASE("ImageIds: a file that lists no images is refused by entry and field") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    return refusal<pm::DataError>([&] { pm::read_image_ids(folder.write("bad.json", text)); });
  };
  CHECK(contains(message("[]"), "bad.json: expected an object"));
  CHECK(contains(message("{}"), "bad.json.images: expected a value, got nothing"));
  CHECK(contains(message(R"({"images": [{"id": 1}]})"), "bad.json: images[0].file_name: expected a value"));
  CHECK(contains(message(R"({"images": [{"id": -1, "file_name": "x"}]})"), "images[0].id: expected an integer from 0"));
  CHECK(
      contains(message(R"({"images": [{"id": 1.5, "file_name": "x"}]})"), "images[0].id: expected an integer from 0"));
  CHECK(contains(message("{\"images\": ["), "bad.json"));
}

}  // namespace image_ids_test
