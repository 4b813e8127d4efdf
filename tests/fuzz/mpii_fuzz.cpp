// MPII's people in JSON; the heads that belong to them are a .mat file, as mat_fuzz.cpp has it.
#include "fuzz/harness.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/data/sets/mpii.hpp>

#include <string>
#include <vector>

namespace mpii_fuzz {

using namespace posemachine;

namespace {

std::vector<std::string> seeds() {
  Json person = {{"joints_vis", Json::array()},
                 {"joints", Json::array()},
                 {"image", "a.jpg"},
                 {"scale", 2.5},
                 {"center", {301.0, 201.0}}};
  for (int j = 0; j < 16; ++j) {
    person["joints_vis"].push_back(j == 0 ? 0 : 1);
    person["joints"].push_back(j == 0 ? Json{-1.0, -1.0} : Json{100.0 + j, 50.5 + 2 * j});
  }
  Json nowhere = person;
  nowhere["center"] = {-1, -1};
  nowhere["scale"] = -1;
  return {Json::array({person}).dump(), Json::array({nowhere, person}).dump()};
}

void read(const std::string& input) {
  fuzz::folder().write("mpii/images/a.jpg", "x");
  fuzz::folder().write("mpii/annot/train.json", input);
  fuzz::require_sound(read_mpii(fuzz::folder() / "mpii", "", {.images = {}, .allow_missing = true}));
}

const bool added = fuzz::add({"mpii", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace mpii_fuzz
