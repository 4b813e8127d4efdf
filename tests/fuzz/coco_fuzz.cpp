// COCO's keypoint annotation, and the name of a category behind it.
#include "fuzz/harness.hpp"

#include <posemachine/data/sets/coco.hpp>

#include <string>
#include <vector>

namespace coco_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  const std::string file =
      R"({"images":[{"id":7,"file_name":"a.png"},{"id":8,"file_name":"b.png"}],"annotations":[)"
      R"({"id":1,"image_id":7,"category_id":1,"keypoints":[1,2,2,3.5,4,1,0,0,0],"bbox":[0,0,9,9.5],"area":40,"iscrowd":0},)"
      R"({"id":2,"image_id":8,"category_id":1,"keypoints":[1,2,2,3,4,2,5,6,2],"bbox":[0,0,0,0],"area":0},)"
      R"({"id":3,"image_id":8,"category_id":2,"bbox":[0,0,1,1]}],"categories":[{"id":1,"name":"arm",)"
      R"("keypoints":["base","left_tip","right_tip"],"skeleton":[[1,2],[1,3]]},{"id":2,"name":"ball"}]})";
  return {file, file + fuzz::file_separator + "arm"};
}

void read(const std::string& input) {
  const std::vector<std::string> files = fuzz::files_in(input, 2);
  for (const char* image : {"coco/a.png", "coco/b.png"}) fuzz::folder().write(image, "x");
  fuzz::require_sound(
      read_coco(fuzz::folder().write("coco/people.json", files[0]), files[1], {.images = {}, .allow_missing = true}));
}

const bool added = fuzz::add({"coco", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace coco_fuzz
