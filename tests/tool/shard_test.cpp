// Work in shares as users have it: the built program runs every share, and merge makes what one run would have made.
#include "noise.hpp"
#include "reference/random_model.hpp"
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>

#include <matio.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace shard_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using tool_test::json_of;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

// Two models, a folder of 4 pictures and one that is broken, and LSP with 5 photographs; gone with the program.
class Data {
 public:
  static const Data& instance() {
    static const Data data;
    return data;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  Data() {
    pm::ModelSpec spec;
    spec.input_height = spec.input_width = 64;
    const pm::Graph graph = pm::graph_of<pm::ScalingDilationSmall>();
    pm::reference::random_model("scaling-dilation-small", graph, 5, spec).save(folder_ / "m.safetensors");
    pm::reference::random_model("scaling-dilation-small", graph, 6, spec).save(folder_ / "other.safetensors");
    fs::create_directories(folder_ / "photos");
    fs::create_directories(folder_ / "lsp/images");
    std::uint64_t seed = 1;
    for (const char* photo : {"d.png", "a.jpg", "e.JPG", "b.jpeg"}) write_picture(folder_ / "photos" / photo, seed++);
    std::ofstream(folder_ / "photos/c.png") << "\x89PNG\r\n\x1a\n nothing follows";
    std::ofstream(folder_ / "photos/notes.txt") << "not a picture";
    for (int i = 1; i <= 5; ++i) write_picture(folder_ / "lsp/images" / ("im000" + std::to_string(i) + ".jpg"), seed++);
    write_joints(folder_ / "lsp/joints.mat", 1);
    fs::create_directories(folder_ / "lsp2");  // the same pictures with another annotation
    fs::create_directory_symlink(folder_ / "lsp/images", folder_ / "lsp2/images");
    write_joints(folder_ / "lsp2/joints.mat", 2);
  }

  static void write_picture(const fs::path& file, std::uint64_t seed) {
    pm::write_png(file, test_environment::noise(50 + int(seed), 60,
                                                seed));  // files are known by their first bytes, not their names
  }

  // Joints anywhere: with a PCK threshold of 0.9 some are right by chance.
  static void write_joints(const fs::path& file, std::uint64_t seed) {
    std::vector<double> values;
    pm::RandomStream stream(seed, pm::Purpose::test);
    for (int i = 0; i < 5 * 14; ++i) values.insert(values.end(), {stream.uniform(3, 48), stream.uniform(3, 58), 0.0});
    std::size_t dims[]{3, 14, 5};
    mat_t* mat = Mat_CreateVer(file.c_str(), nullptr, MAT_FT_MAT5);
    matvar_t* variable = Mat_VarCreate("joints", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims, values.data(), 0);
    Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE);
    Mat_VarFree(variable);
    Mat_Close(mat);
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return (Data::instance() / name).string(); }

Outcome run(const std::string& arguments) { return tool_test::run_program(arguments, Data::instance().path()); }

void check_refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(arguments, Data::instance().path(), code, message);
}

std::string estimate(const std::string& arguments) {
  return "estimate --quiet --ndjson --model " + at("m.safetensors") + " " + arguments;
}

std::string evaluate(const std::string& arguments, const std::string& options = "--split 1:5 --threshold 0.9",
                     const std::string& model = "m.safetensors", const std::string& data = "lsp") {
  return "evaluate --quiet --model " + at(model) + " --data lsp:" + at(data) + " " + options + " " + arguments;
}

std::string shard(int number, int count) {
  return " --shard " + std::to_string(number) + "/" + std::to_string(count) + " ";
}

std::string save(const std::string& name, const std::string& text) {
  std::ofstream(at(name), std::ios::binary) << text;
  return at(name);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(text.substr(begin, end - begin));
  }
  return lines;
}

}  // namespace

TEST_CASE("shard: estimate takes a folder as its images by name, and a broken one leaves the others their lines") {
  const Outcome folder = run(estimate(at("photos")));
  CHECK(folder.code == 3);
  CHECK(folder.err.find("c.png") != std::string::npos);
  std::vector<std::string> names;
  for (const std::string& line : lines_of(folder.out)) {
    names.push_back(fs::path(pm::parse_json(line, "line")["image"].get<std::string>()).filename());
  }
  CHECK(names == std::vector<std::string>{"a.jpg", "b.jpeg", "d.png", "e.JPG"});
  const std::string listed = at("photos/a.jpg") + " " + at("photos/b.jpeg") + " " + at("photos/d.png") + " ";
  CHECK(run(estimate(listed + at("photos/e.JPG"))).out == folder.out);
  CHECK(lines_of(run(estimate(at("lsp/images") + " " + at("photos"))).out).size() == 9);
  const std::string model = "estimate --model " + at("m.safetensors") + " ";
  CHECK(run(model + at("lsp/images")).out.find("im0005.jpg: ") != std::string::npos);
  check_refused(model + "--json " + at("photos"), 2, "expected one image, got a folder; use --ndjson");
  check_refused(model + "--overlay o.png " + at("photos"), 2, "expected a folder for the files of several images");
  check_refused(model + at("lsp"), 3, "expected images (.jpg, .jpeg, .png), got none in this folder");
}

TEST_CASE("shard: the lines of 1, 2, 3 and 7 shares of a folder are the whole run's, and merge gives its bytes") {
  const Outcome whole = run(estimate(at("photos")));
  REQUIRE(lines_of(whole.out).size() == 4);
  for (const int count : {1, 2, 3, 7}) {
    INFO(count);
    std::string files, all;
    std::vector<std::string> together;
    for (int number = 1; number <= count; ++number) {
      const Outcome part = run(estimate(shard(number, count) + at("photos")));
      CHECK(part.code == (part.err.empty() ? 0 : 3));
      std::vector<std::string> lines = lines_of(part.out);
      REQUIRE_FALSE(lines.empty());
      const pm::Json last = pm::parse_json(lines.back(), "last line");
      CHECK(last.size() == 1);
      CHECK(last["shard"]["number"] == number);
      CHECK(last["shard"]["of"] == count);
      together.insert(together.end(), lines.begin(), lines.end() - 1);
      // Named so that no order of the files is that of the shares.
      files = save("part-" + std::to_string(number), part.out) + " " + files;
      all = part.out + all;
    }
    std::sort(together.begin(), together.end());
    std::vector<std::string> expected = lines_of(whole.out);
    std::sort(expected.begin(), expected.end());
    CHECK(together == expected);
    const Outcome merged = run("merge " + files);
    CHECK(merged.code == 3);
    CHECK(merged.out == whole.out);
    CHECK(merged.err == whole.err);
    const Outcome piped = run("merge -o " + at("merged.ndjson") + " - <" + save("all", all));
    CHECK(piped.code == 3);
    CHECK(piped.out.empty());
    CHECK(text_of(at("merged.ndjson")) == whole.out);
  }
  // Without a broken image all is well; the order given is kept, and an image given twice is there twice.
  const std::string images = at("photos/d.png") + " " + at("photos/a.jpg") + " " + at("photos/d.png");
  std::string files;
  for (int number = 1; number <= 2; ++number) {
    files += " " + save("part-" + std::to_string(number), run(estimate(shard(number, 2) + images)).out);
  }
  const Outcome merged = run("merge" + files);
  CHECK(merged.code == 0);
  CHECK(merged.out == run(estimate(images)).out);
}

TEST_CASE("shard: evaluate's shares merge to the tables and the JSON of the whole, byte for byte, empty shares too") {
  const std::string text = run(evaluate("")).out;
  const std::string json = run(evaluate("--json")).out;
  REQUIRE(text.find("5 people") != std::string::npos);
  const pm::Json whole = pm::parse_json(json, "stdout");
  CHECK(whole["pck"]["mean"].get<double>() > 5);  // equal zeros would show nothing
  CHECK(whole["pck"]["mean"].get<double>() < 95);
  for (const pm::Json& stage : whole["stages"]) {
    int right = 0;
    for (const pm::Json& joint : stage["pck"]["parts"]) right += joint["right"].get<int>();
    CHECK(stage["pck"]["mean"].get<double>() == doctest::Approx(100.0 * right / (5 * 14)).epsilon(1e-5));
    CHECK(stage["pcp_strict"]["parts"].size() == 10);
  }
  for (const int count : {1, 2, 3, 7}) {
    INFO(count);
    std::string files;
    for (int number = 1; number <= count; ++number) {
      const Outcome part = run(evaluate("--json" + shard(number, count)));
      CHECK(part.code == 0);
      const pm::Json share = pm::parse_json(part.out, "stdout");
      CHECK(share["people"] == (5 + count - number) / count);
      CHECK(share["pck"]["mean"].is_null() == (number > 5));
      files = save("part-" + std::to_string(number), part.out) + " " + files;
    }
    CHECK(run("merge " + files).out == text);
    CHECK(run("merge --json " + files).out == json);
  }
  // Means of distances, whose sums depend on the order.
  const std::string own = "--split 1:5 --metric epe --metric pck@0.9 --metric auc:box";
  std::string files;
  for (const int number : {2, 1, 3}) {
    files += " " + save("own-" + std::to_string(number), run(evaluate("--json" + shard(number, 3), own)).out);
  }
  CHECK(run("merge" + files).out == run(evaluate("", own)).out);
  CHECK(run("merge --json" + files).out == run(evaluate("--json", own)).out);
  CHECK(json_of(run("merge --json" + files))["epe"]["unit"] == "px");
}

TEST_CASE("shard: the data and the model may lie elsewhere on another machine") {
  fs::create_directories(at("elsewhere"));
  fs::create_directory_symlink(at("lsp"), at("elsewhere/lsp_dataset"));
  fs::create_symlink(at("m.safetensors"), at("elsewhere/m.safetensors"));
  const std::string first = save("first", run(evaluate("--json" + shard(1, 2))).out);
  const std::string there =
      evaluate("--json" + shard(2, 2), "--split 1:5 --threshold 0.9", "elsewhere/m.safetensors", "elsewhere");
  const std::string second = save("second", run(there).out);
  CHECK(run("merge " + second + " " + first).out == run(evaluate("")).out);
}

TEST_CASE("shard: what is no share is a usage error, and so is what cannot be merged") {
  const auto refuse = [](const std::string& text, const std::string& message) {
    check_refused(estimate("--shard '" + text + "' " + at("photos")), 2, message);
    check_refused(evaluate("--json --shard '" + text + "'"), 2, message);
  };
  refuse("0/4", "expected I/N with 1 <= I <= N, got \"0/4\"; shards count from 1");
  for (const char* text : {"5/4", "4", "a/b", "1/0", "/", "", "1/2x", "1/99999999999999999999"}) {
    refuse(text, "got \"" + std::string(text) + "\"");
  }
  const std::string model = "estimate --model " + at("m.safetensors") + shard(1, 2);
  check_refused(model + at("photos"), 2, "--shard: expected --ndjson, got text");
  check_refused(model + "--json " + at("photos/a.jpg"), 2, "--json: expected one image, got a share of several");
  check_refused(model + "--box 1,1,9,9 --ndjson " + at("photos/a.jpg"), 2, "--box: expected one image, got a share");
  check_refused(estimate(shard(1, 2) + "- </dev/null"), 2, "got standard input (-)");
  check_refused(evaluate(shard(1, 2)), 2, "--shard: expected --json, got text");
  check_refused("merge", 2, "FILE is required");
  check_refused("merge -o '' " + at("photos/a.jpg"), 2, "--output: expected a file's name");
  check_refused("merge - -", 2, "standard input (-) once");
  check_refused("merge -o " + at("m.safetensors") + " " + at("m.safetensors"), 2,
                "another file than those that are read");
  check_refused(
      "estimate --json --model " + at("m.safetensors") + " -o " + at("m.safetensors") + " " + at("photos/a.jpg"), 2,
      "m.safetensors, which is a file that is read too");
}

TEST_CASE("shard: merge refuses what is not all shares of one run, and says which file and what") {
  const auto share = [](const std::string& name, int number, int count) {
    return save(name, run(evaluate("--json" + shard(number, count))).out);
  };
  const auto odd_share = [](const std::string& options, const std::string& model, const std::string& data) {
    return save("odd", run(evaluate("--json" + shard(2, 3), options, model, data)).out);
  };
  const std::string first = share("first", 1, 3), second = share("second", 2, 3), third = share("third", 3, 3);
  const auto refuse = [](const std::string& files, const std::string& message) {
    check_refused("merge " + files, 3, message);
  };
  REQUIRE(run("merge " + first + " " + second + " " + third).code == 0);
  refuse(first + " " + third, "expected all 3 shards of the run of " + first + ", got 2 of them, without 2");
  refuse(third, "without 1, 2");
  refuse(first + " " + second + " " + third + " " + first, first + ": expected every shard once, got shard 1/3");
  refuse(first + " " + share("odd", 2, 4), "odd: expected one of 3 shards, as " + first + " is, got shard 2/4");
  const std::string usual = "--split 1:5 --threshold 0.9", model = "m.safetensors";
  refuse(first + " " + odd_share("--split 1:5 --threshold 0.5", model, "lsp"), "odd: metrics: expected the same as ");
  refuse(first + " " + odd_share("--split 1:4 --threshold 0.9", model, "lsp"), "odd: split: expected \"1:5\", as ");
  refuse(first + " " + odd_share(usual, "other.safetensors", "lsp"), "odd: model: expected \"");
  refuse(first + " " + odd_share(usual, model, "lsp2"), "odd: people: expected \"5 people, ");

  const auto estimated = [](const std::string& name, int number, const std::string& more) {
    return save(name, run(estimate(shard(number, 2) + more)).out);
  };
  const std::string one = estimated("one", 1, at("photos")), two = estimated("two", 2, at("photos"));
  REQUIRE(run("merge " + one + " " + two).out == run(estimate(at("photos"))).out);
  refuse(one + " " + second, "second: command: expected \"estimate\", as " + one + " has, got \"evaluate\"");
  refuse(one + " " + estimated("odd", 2, at("lsp/images")), "odd: images: expected the same as " + one);
  refuse(one + " " + estimated("odd", 2, "--stages 1 " + at("photos")), "odd: stages: expected 0, as " + one);
  refuse(one + " " + one, "one: expected every shard once, got shard 1/2, which " + one + " is too");
  check_refused("merge --json " + one + " " + two, 2, "--json: expected results of evaluate, got results of estimate");

  // Cut off, changed, or no share at all.
  const std::string text = text_of(one);
  const std::size_t last = text.rfind('\n', text.size() - 2) + 1;
  refuse(save("odd", text.substr(0, last)) + " " + two, "odd: expected a last line that says which shard it is, got 2");
  refuse(save("odd", text.substr(0, last - 9)) + " " + two, "run the shard again if it was stopped");
  refuse(save("odd", text.substr(0, last + 20)) + " " + two, "odd, line 3: expected JSON");
  refuse(save("odd", text.substr(text.find('\n') + 1)) + " " + two, "odd: expected 2 lines as shard 1/2 wrote, got 1");
  std::string changed = text;
  changed[changed.find("0.")] = '1';
  refuse(save("odd", changed) + " " + two, "odd: expected 2 lines as shard 1/2 wrote, got others");
  refuse(save("odd", "") + " " + two, "odd: expected a last line that says which shard it is, got an empty file");
  refuse(save("odd", run(estimate(at("photos"))).out), "results without --shard are whole already");
  refuse(save("odd", run(evaluate("--json")).out), "odd, line 1: expected the result of a shard, got one without");
  refuse(at("absent"), "absent: cannot be opened");
  refuse(at("m.safetensors"), "m.safetensors, line 1: expected JSON");
  std::string forged = text_of(second);
  forged.replace(forged.find("\"truth\":["), 9, "\"truth\":[6,");
  refuse(first + " " + save("odd", forged) + " " + third, "odd.shard.measured[0].truth: expected a list of 14");
  forged = text_of(second);
  forged.replace(forged.find("\"measured\":["), 12, "\"figures\":[");
  refuse(first + " " + save("odd", forged) + " " + third, "got figures alone, as earlier versions wrote; run this");
  CHECK(run("merge -o " + at("no/such/folder.json") + " " + first + " " + second + " " + third).code == 1);
}

}  // namespace shard_test
