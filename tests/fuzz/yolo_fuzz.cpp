// Ultralytics' YAML file, and a file of labels behind it.
#include "fuzz/harness.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/sets/yolo.hpp>
#include <posemachine/data/yaml_file.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace yolo_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  const std::string labels = "0 0.5 0.5 0.4 0.5 0.25 0.5 2 0.1 0.2 1 0 0 0\n\n0 0.5 0.5 1 1 1 1 2 .1 2e-1 2 0 0 0 \r\n";
  return {"names: {0: arm}\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\ntrain: images/train\n" +
              (fuzz::file_separator + labels),
          "# a comment\npath: .\ntrain: &here\n  - images/train # behind\nval: *here\nnc: 2\nnames: [\"a\", 'b']\n"
          "kpt_shape: [3, 3]\nkpt_names:\n  0: [base, left_tip, right_tip]\n  1: [base, left_tip, right_tip]\n" +
              (fuzz::file_separator + labels),
          "train: images/train\nkpt_shape: [2, 2]\nflip_idx: [0, 1]\nnc: 1\n" +
              (fuzz::file_separator + std::string("0 0.5 0.5 0.4 0.5 0.25 0.5 0.1 0.2\n"))};
}

// A folder that leads out of the fuzzer's own would be searched to its depths.
bool stays_inside(const Json& value) {
  if (value.is_structured()) return std::all_of(value.begin(), value.end(), stays_inside);
  if (!value.is_string()) return true;
  const std::string& text = value.get_ref<const std::string&>();
  return !text.starts_with('/') && text.find("..") == std::string::npos;
}

void read(const std::string& input) {
  static const std::string picture = encode_png(Image(20, 10));
  const std::vector<std::string> files = fuzz::files_in(input, 2);
  if (!stays_inside(parse_yaml(files[0], "yolo.yaml"))) return;
  fuzz::folder().write("yolo/images/train/a.png", picture);
  fuzz::folder().write("yolo/labels/train/a.txt", files[1]);
  fuzz::require_sound(
      read_yolo(fuzz::folder().write("yolo/yolo.yaml", files[0]), "", {.images = {}, .allow_missing = true}));
}

const bool added = fuzz::add({"yolo", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace yolo_fuzz
