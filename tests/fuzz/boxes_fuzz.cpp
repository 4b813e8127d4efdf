// Boxes and image ids in COCO's results and annotations.
#include "fuzz/harness.hpp"

#include <posemachine/data/box_file.hpp>
#include <posemachine/data/image_ids.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace boxes_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  const std::string list =
      R"([{"image_id":9,"category_id":1,"bbox":[1,2.5,30,40],"score":0.75},)"
      R"({"image_id":9,"category_id":2,"bbox":[0,0,1e3,1],"iscrowd":1},{"image_id":10,"category_id":1,"bbox":[-3,2,1,1]}])";
  return {list,
          R"({"images":[{"id":9,"file_name":"a/b.png"},{"id":10,"file_name":"c.png"}],"annotations":)" + list + "}"};
}

void read(const std::string& input) {
  const auto file = fuzz::folder().write("boxes.json", input);
  for (const auto& [image, boxes] : read_boxes(file, {.min_score = 0.1}).boxes) {
    for (const Box& box : boxes) {
      fuzz::require(std::isfinite(box.x) && std::isfinite(box.y) && box.width > 0 && box.height > 0, "sound boxes");
    }
  }
  if (!input.starts_with('{')) return;
  (void)read_image_ids(file).of("a/b.png");
}

const bool added = fuzz::add({"boxes", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace boxes_fuzz
