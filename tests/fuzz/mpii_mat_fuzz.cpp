// MPII's own file: structs within structs, as mat_fuzz.cpp has arrays.
#include "data/mat_bytes.hpp"
#include "fuzz/harness.hpp"

#include <posemachine/data/sets/mpii_mat.hpp>

#include <string>
#include <vector>

namespace mpii_mat_fuzz {

using namespace posemachine;

namespace {

std::string release(const mat_bytes::Writer& w) {
  const std::vector<std::string> fields{"x", "y", "id", "is_visible"};
  const std::string points = w.structs(fields, {{w.number(11), w.number(21.5), w.small_number(3), w.text("1")},
                                                {w.number(12), w.number(22), w.number(15), w.nothing()}});
  const std::string middle = w.one({{"x", w.number(50)}, {"y", w.number(60)}});
  const std::string person = w.one({{"x1", w.number(10)},
                                    {"y1", w.number(20)},
                                    {"x2", w.number(40)},
                                    {"y2", w.number(60)},
                                    {"annopoints", w.one({{"point", points}})},
                                    {"scale", w.number(2)},
                                    {"objpos", middle}});
  const std::string image = w.one({{"name", w.text("a.jpg")}});
  return w.file(w.one({{"annolist", w.structs({"image", "annorect"}, {{image, person}, {image, w.none()}})},
                       {"img_train", w.numbers({1, 0})},
                       {"single_person", w.cells({w.number(1), w.none()})}},
                      "RELEASE"));
}

std::vector<std::string> seeds() { return {release(mat_bytes::Writer(true)), release(mat_bytes::Writer(false))}; }

void read(const std::string& input) {
  fuzz::folder().write("mpii_mat/images/a.jpg", "x");
  const auto file = fuzz::folder().write("mpii_mat/release.mat", input);
  const DataSetOptions options{.images = {}, .allow_missing = true};
  const Annotations all = read_mpii_mat(file, "", options);
  fuzz::require_sound(all);
  const Annotations single = read_mpii_mat(file, "single", options);
  fuzz::require_sound(single);
}

const bool added = fuzz::add({"mpii_mat", seeds, read, fuzz::refuses_with<DataError>});

}  // namespace

}  // namespace mpii_mat_fuzz
