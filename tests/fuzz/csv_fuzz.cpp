// Tables of joints.
#include "fuzz/harness.hpp"

#include <posemachine/data/sets/csv.hpp>

#include <string>
#include <vector>

namespace csv_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  return {"image,base_x,base_y,base_v,left_tip_x,left_tip_y,right_tip_x,right_tip_y\na.png,1,2,1,,,3.5,-4e1\n",
          "\xEF\xBB\xBFimage,box_x,box_y,box_width,box_height,head_length,area,\"a\"\"b,\n_x\",\"a\"\"b,\n_y\",tip_x,"
          "tip_y\r\n"
          "\"a.png\",0,0,10,20.5,5,1e3,1,2,3,4\r\n\r\na.png,,,,,,,,, 3 ,4\r\n",
          "image,a_x,a_y,a_score\na.png,1,2,0.5\n"};
}

void read(const std::string& input) {
  fuzz::folder().write("csv/a.png", "x");
  fuzz::require_sound(read_csv(fuzz::folder().write("csv/people.csv", input), {.images = {}, .allow_missing = true}));
}

const bool added = fuzz::add({"csv", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace csv_fuzz
