// LabelMe's files, two of them.
#include "fuzz/harness.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/sets/labelme.hpp>

#include <string>
#include <vector>

namespace labelme_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  const std::string first =
      R"({"version":"5.4.1","flags":{},"shapes":[{"label":"base","points":[[0.5,0.5]],"group_id":1,"shape_type":"point",)"
      R"("description":"occluded","flags":{}},{"label":"left_tip","points":[[7,8.25]],"group_id":null,)"
      R"("shape_type":"point","flags":{"occluded":true}},{"label":"arm","points":[[9,12],[4,2]],"group_id":1,)"
      R"("shape_type":"rectangle"},{"label":"o","points":[[0,0],[5,0],[1,1]],"shape_type":"polygon"}],)"
      R"("imagePath":"..\\labelme\\a.png","imageData":null,"imageHeight":20,"imageWidth":30})";
  const std::string second =
      R"({"shapes":[{"label":"right_tip","points":[[1,2]],"shape_type":"point"}],"imagePath":"b.png"})";
  return {first, first + fuzz::file_separator + second};
}

void read(const std::string& input) {
  static const std::string picture = encode_png(Image(30, 20));
  const std::vector<std::string> files = fuzz::files_in(input, 2);
  fuzz::folder().write("labelme/a.png", picture);
  fuzz::folder().write("labelme/b.png", "x");
  fuzz::folder().write("labelme/im1.json", files[0]);
  std::filesystem::remove(fuzz::folder() / "labelme/im2.json");
  if (!files[1].empty()) fuzz::folder().write("labelme/im2.json", files[1]);
  fuzz::require_sound(read_labelme(fuzz::folder() / "labelme", {.images = {}, .allow_missing = true}));
}

const bool added = fuzz::add({"labelme", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace labelme_fuzz
