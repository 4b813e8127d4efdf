// What estimate writes, and where: formats, files and folders, read back by what reads them elsewhere.
#include "noise.hpp"
#include "reference/random_model.hpp"
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/joint_set.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace estimate_output_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using tool_test::json_of;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

// A model, and a folder of four pictures of noise: im2.png, im10.jpg, im11.png and one that is broken.
class Photos {
 public:
  static const Photos& instance() {
    static const Photos photos;
    return photos;
  }
  const fs::path& path() const { return folder_.path(); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

 private:
  Photos() {
    pm::ModelSpec spec;
    spec.input_height = spec.input_width = 64;
    const pm::Graph graph = pm::graph_of<pm::ScalingDilationSmall>();
    pm::reference::random_model("scaling-dilation-small", graph, 5, spec).save(at("m.safetensors"));
    fs::create_directories(at("photos"));
    std::uint64_t seed = 1;
    for (const char* name : {"photos/im2.png", "photos/im10.jpg", "photos/im11.png", "own.png"}) {
      pm::write_png(at(name), test_environment::noise(80 + int(seed), 70, seed));
      ++seed;  // files are known by their first bytes, not their names
    }
    std::ofstream(at("photos/im3.png")) << "\x89PNG\r\n\x1a\n nothing follows";
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return Photos::instance().at(name); }

std::string estimate(const std::string& arguments) {
  return "estimate --quiet --model " + at("m.safetensors") + " " + arguments;
}

Outcome run(const std::string& arguments) {
  return tool_test::run_program(estimate(arguments), Photos::instance().path());
}

void check_refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(estimate(arguments), Photos::instance().path(), code, message);
}

std::string three_photos() { return at("photos/im2.png") + " " + at("photos/im10.jpg") + " " + at("photos/im11.png"); }

std::vector<pm::Json> lines_of(const std::string& text) {
  std::vector<pm::Json> lines;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(pm::parse_json(text.substr(begin, end - begin), "line"));
  }
  return lines;
}

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(at(folder))) names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("estimate --format: json and ndjson are their short forms, byte for byte; one format at a time") {
  CHECK(run("--format json " + at("own.png")).out == run("--json " + at("own.png")).out);
  CHECK(run("--format ndjson " + three_photos()).out == run("--ndjson " + three_photos()).out);
  CHECK(run("--format text " + three_photos()).out == run(three_photos()).out);
  CHECK(run("--json --format json " + at("own.png")).code == 0);
  check_refused("--json --format csv " + at("own.png"), 2, "--json: expected one format, got --format csv, too");
  check_refused("--format yaml " + at("own.png"), 2,
                "--format: expected one of text, json, ndjson, coco, openpose, csv");
  check_refused("--format json " + three_photos(), 2, "--format json: expected one image, got several; use --ndjson");
  check_refused("--format csv --shard 1/2 " + three_photos(), 2, "--shard: expected --ndjson, got csv");
  check_refused("--format csv --overlay - " + at("own.png"), 2, "one result on stdout");
}

TEST_CASE("estimate --format coco: one list of the people whose ids are the numbers in names, or an annotation's") {
  const std::vector<pm::Json> own = lines_of(run("--ndjson " + three_photos()).out);
  REQUIRE(own.size() == 3);
  const Outcome outcome = run("--format coco " + at("photos"));
  CHECK(outcome.code == 3);  // of the broken one
  const pm::Json list = pm::parse_json(outcome.out, "stdout");
  REQUIRE(list.size() == 3);
  std::set<int> ids;
  for (const pm::Json& person : list) {
    ids.insert(person["image_id"].get<int>());
    CHECK(person["category_id"] == 1);
    CHECK(person["keypoints"].size() == 3 * 14);
  }
  CHECK(ids == std::set<int>{2, 10, 11});
  const pm::Json first = pm::parse_json(run("--format coco " + at("photos/im2.png")).out, "stdout")[0];
  double sum = 0;
  for (std::size_t j = 0; j < 14; ++j) {
    const pm::Json& keypoint = own[0]["poses"][0]["keypoints"][j];
    CHECK(first["keypoints"][3 * j] == keypoint["x"]);
    CHECK(first["keypoints"][3 * j + 1] == keypoint["y"]);
    CHECK(first["keypoints"][3 * j + 2] == keypoint["score"]);
    sum += keypoint["score"].get<double>();
  }
  CHECK(first["score"].get<double>() == doctest::Approx(sum / 14).epsilon(1e-3));

  check_refused("--format coco " + at("own.png"), 2, "own.png: expected a name that ends in its image_id");
  check_refused("--format coco " + at("photos/im2.png") + " " + at("photos/im2.png"), 2,
                "an image_id of its own, got 2");
  std::ofstream(at("ids.json")) << R"({"images": [{"id": 77, "file_name": "x/own.png"}]})";
  const std::string by_file = "--format coco --image-ids " + at("ids.json") + " ";
  CHECK(pm::parse_json(run(by_file + at("own.png")).out, "stdout")[0]["image_id"] == 77);
  check_refused(by_file + at("photos/im2.png"), 3, "ids.json: images: expected one with the file_name of");
  check_refused("--format csv --image-ids " + at("ids.json") + " " + at("own.png"), 2,
                "--image-ids: expected --format coco, or --boxes FILE.json");
}

TEST_CASE("estimate --joints: another set's joints in its order, by names; pictures stay the model's") {
  const pm::Json own = pm::parse_json(run("--json " + at("own.png")).out, "stdout")["poses"][0]["keypoints"];
  const Outcome openpose = run("--format openpose --joints body_25 --overlay " + at("b25.png") + " " + at("own.png"));
  const pm::Json numbers = pm::parse_json(openpose.out, "stdout")["people"][0]["pose_keypoints_2d"];
  REQUIRE(numbers.size() == 3 * 25);
  CHECK(numbers[3 * 4] == own[6]["x"]);       // RWrist
  CHECK(numbers[3 * 14 + 1] == own[5]["y"]);  // LAnkle
  CHECK(numbers[3 * 1 + 2] == own[12]["score"]);
  for (const std::size_t absent : {0u, 8u, 15u, 24u}) CHECK(numbers[3 * absent + 2] == 0);
  run("--overlay " + at("plain.png") + " " + at("own.png"));
  CHECK(text_of(at("b25.png")) == text_of(at("plain.png")));
  std::ofstream(at("names.json")) << R"(["left wrist", "tail"])";
  const pm::Json two = pm::parse_json(run("--json --joints " + at("names.json") + " " + at("own.png")).out, "stdout");
  CHECK(two["poses"][0]["keypoints"][0]["name"] == "left wrist");
  CHECK(two["poses"][0]["keypoints"][0]["x"] == own[11]["x"]);
  CHECK(two["poses"][0]["keypoints"][1]["x"].is_null());
  check_refused("--json --joints body25 " + at("own.png"), 2,
                "--joints: expected lsp, mpii, coco, body_25, or a file of names, got \"body25\"");
  std::ofstream(at("arm.json")) << R"(["base", "gripper"])";
  check_refused("--json --joints " + at("arm.json") + " " + at("own.png"), 2, "expected a joint of the model's");
  std::ofstream(at("no_names.json")) << R"({"joints": [1]})";
  check_refused("--json --joints " + at("no_names.json") + " " + at("own.png"), 4, "no_names.json.joints");
  const auto share = [](const std::string& name, const std::string& arguments) {
    std::ofstream(at(name)) << run("--ndjson " + arguments + " " + three_photos()).out;
    return " " + at(name);
  };
  const std::string coco = share("c1.ndjson", "--joints coco --shard 1/2"), lsp = share("l2.ndjson", "--shard 2/2");
  const auto merged = [](const std::string& files) {
    return tool_test::run_program("merge" + files, Photos::instance().path()).code;
  };
  CHECK(merged(coco + lsp) == 3);
  CHECK(merged(coco + share("c2.ndjson", "--joints coco --shard 2/2")) == 0);
}

TEST_CASE("estimate --format csv: a table of all images that the tool's own reader takes as annotations") {
  const Outcome outcome = run("--format csv -o " + at("poses.csv") + " " + three_photos());
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  const pm::Annotations read = pm::DataSetKinds().read({"csv", at("poses.csv"), ""});
  CHECK(read.joints.joints == pm::lsp_joints().joints);
  REQUIRE(read.people.size() == 3);
  const std::vector<pm::Json> own = lines_of(run("--ndjson " + three_photos()).out);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(read.people[i].image == own[i]["image"].get<std::string>());
    for (std::size_t j = 0; j < 14; ++j) {
      CHECK(read.people[i].joints[j].position.x == own[i]["poses"][0]["keypoints"][j]["x"].get<double>());
    }
  }
}

TEST_CASE("estimate -o: a file is there whole or not at all, a folder has a file per image under OpenPose's names") {
  const std::string photo = at("photos/im2.png");
  for (const char* format : {"text", "json", "ndjson", "coco", "openpose", "csv"}) {
    INFO(format);
    const std::string piped = run(std::string("--format ") + format + " " + photo).out;
    const std::string file = at(std::string("one.") + format);
    const Outcome outcome = run(std::string("--format ") + format + " --output " + file + " " + photo);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.empty());
    CHECK(text_of(file) == piped);
  }
  CHECK(run("--format openpose -o " + at("openpose") + " " + at("photos")).code == 3);  // without the broken one
  CHECK(names_in("openpose") ==
        std::set<std::string>{"im2_keypoints.json", "im10_keypoints.json", "im11_keypoints.json"});
  CHECK(text_of(at("openpose/im2_keypoints.json")) == text_of(at("one.openpose")));
  CHECK(run("--json -o " + at("new/folder") + " " + three_photos()).code == 0);
  CHECK(names_in("new/folder") == std::set<std::string>{"im2.json", "im10.json", "im11.json"});
  CHECK(run("--format csv -o " + at("tables") + "/ " + photo).code == 0);  // by its slash
  CHECK(text_of(at("tables/im2.csv")) == text_of(at("one.csv")));
  CHECK(run("--json -o " + at("tables") + " - <" + photo).code == 0);  // it is there
  CHECK(fs::exists(at("tables/stdin.json")));
  CHECK(run("--ndjson -o " + at("no/such/folder.ndjson") + " " + three_photos()).code == 1);

  check_refused("-o '' " + photo, 2, "--output: expected a name, or -");
  check_refused("--json -o " + at("one.json") + " " + three_photos(), 2, "got the file " + at("one.json"));
  check_refused("-o " + photo + " " + photo, 2, "which is an image that is read too");
  check_refused("--json -o " + at("clash") + " " + photo + " " + photo, 2,
                "--output of " + photo + ": expected a file");
  CHECK(!fs::exists(at("clash")));
  check_refused("--ndjson --shard 1/2 -o " + at("tables") + " " + three_photos(), 2,
                "--shard: expected a file, or stdout");
}

TEST_CASE("estimate -o: files of shares merge as their streams do") {
  for (const char* share : {"1", "2"}) {
    CHECK(run(std::string("--ndjson --shard ") + share + "/2 -o " + at(std::string("part") + share) + " " +
              three_photos())
              .code == 0);
  }
  const Outcome merged = tool_test::run_program("merge " + at("part2") + " " + at("part1"), Photos::instance().path());
  CHECK(merged.code == 0);
  CHECK(merged.out == run("--ndjson " + three_photos()).out);
}

TEST_CASE("estimate --overlay and --panel: a picture in the format of its name, or a folder with the photos' names") {
  const std::string photo = at("photos/im2.png");
  const auto first_bytes = [](const std::string& file) { return text_of(at(file)).substr(0, 3); };
  CHECK(run("--overlay " + at("o.jpg") + " --panel " + at("p.JPEG") + " " + photo).code == 0);
  CHECK(first_bytes("o.jpg") == "\xff\xd8\xff");
  CHECK(first_bytes("p.JPEG") == "\xff\xd8\xff");
  CHECK(pm::read_image(at("o.jpg")).width == pm::read_image(photo).width);
  CHECK(run("--overlay " + at("o.png") + " " + photo).code == 0);
  CHECK(first_bytes("o.png") == "\x89PN");

  const Outcome outcome =
      run("--ndjson --overlay " + at("overlays/all") + " --panel " + at("panels") + " " + at("photos"));
  CHECK(outcome.code == 3);  // without the broken one
  CHECK(outcome.out == run("--ndjson " + at("photos")).out);
  const std::set<std::string> names{"im2.png", "im10.jpg", "im11.png"};
  CHECK(names_in("overlays/all") == names);
  CHECK(names_in("panels") == names);
  CHECK(text_of(at("overlays/all/im2.png")) == text_of(at("o.png")));
  CHECK(first_bytes("overlays/all/im10.jpg") == "\xff\xd8\xff");
  CHECK(run("--overlay " + at("overlays") + "/ - <" + photo).code == 0);
  CHECK(text_of(at("overlays/stdin.png")) == text_of(at("o.png")));

  check_refused("--overlay " + at("o.gif") + " " + photo, 2,
                "expected a picture's name that ends in .png, .jpg or .jpeg");
  check_refused("--overlay " + at("o.png") + " " + three_photos(), 2, "--overlay: expected a folder for the files");
  check_refused("--overlay " + at("absent.jpg") + " " + three_photos(), 2,
                "--overlay: expected a folder for the files");
  check_refused("--overlay - " + three_photos(), 2, "--overlay: expected a folder");
  check_refused("--overlay " + at("photos") + " " + at("photos"), 2, "which is an image that is read too");
  check_refused("--overlay " + at("both") + " --panel " + at("both") + " " + at("photos"), 2, "a file of its own");
  check_refused("--overlay " + photo + " " + photo, 2, "which is an image that is read too");
  CHECK(!fs::exists(at("both")));
}

TEST_CASE("estimate --heatmaps: the last stage's maps, whose peaks are where the joints are") {
  const std::string photo = at("photos/im2.png");
  const pm::Json own = json_of(run("--json --decoder arg_max --heatmaps " + at("h.npy") + " " + photo));
  const std::string bytes = text_of(at("h.npy"));
  const std::string shape = "'shape': (15, 8, 8), }";  // 64 pixels at stride 8
  REQUIRE(bytes.find(shape) != std::string::npos);
  REQUIRE(bytes.size() == 128 + 15 * 8 * 8 * 4);
  std::vector<float> maps(15 * 8 * 8);
  std::memcpy(maps.data(), bytes.data() + 128, maps.size() * 4);
  for (std::size_t j = 0; j < 14; ++j) {
    const float peak = *std::max_element(maps.begin() + long(64 * j), maps.begin() + long(64 * j + 64));
    CHECK(own["poses"][0]["keypoints"][j]["score"].get<double>() ==
          doctest::Approx(std::clamp(double(peak), 0.0, 1.0)).epsilon(1e-3));
  }
  CHECK(run("--decoder arg_max --heatmaps - " + photo).out == bytes);
  CHECK(run("--decoder arg_max --heatmaps " + at("maps") + " " + three_photos()).code == 0);
  CHECK(names_in("maps") == std::set<std::string>{"im2.npy", "im10.npy", "im11.npy"});
  CHECK(text_of(at("maps/im2.npy")) == bytes);
  check_refused("--heatmaps " + at("h.npy") + " --box 0,0,9,9 --box 1,1,9,9 " + photo, 2, "one person");
  check_refused("--heatmaps " + at("h.npy") + " " + three_photos(), 2, "--heatmaps: expected a folder");
  check_refused("--heatmaps - --overlay - " + photo, 2, "one picture on stdout");
}

TEST_CASE("estimate --threshold: weak joints leave the picture and the text; data keep them all") {
  const std::string photo = at("photos/im2.png");
  const std::string all = run(photo).out;
  CHECK(all.find("not found") == std::string::npos);
  const std::string none = run("--threshold 1 --overlay " + at("none.png") + " " + photo).out;
  std::size_t count = 0;
  for (std::size_t from = 0; (from = none.find("not found", from)) != std::string::npos; ++from) ++count;
  CHECK(count == 14);
  CHECK(pm::read_image(at("none.png")).pixels == pm::read_image(photo).pixels);
  CHECK(run("--threshold 0 " + photo).out == all);
  for (const char* format : {"json", "ndjson", "openpose", "csv", "coco"}) {
    const std::string as = std::string(" --format ") + format + " " + photo;
    CHECK(run("--threshold 1 --overlay " + at("none.png") + as).out == run(as).out);
    check_refused("--threshold 1" + as, 2, "--threshold: expected text, --overlay or --panel");
  }
  check_refused("--threshold 1.5 " + photo, 2, "--threshold");
}

TEST_CASE("estimate --boxes: each image's people are those of the file, as --box finds them; none are no poses") {
  std::ofstream(at("boxes.json")) << R"([
      {"image_id": 10, "category_id": 1, "bbox": [5, 5, 40, 60], "score": 0.9},
      {"image_id": 2, "category_id": 1, "bbox": [0, 0, 30, 30.5], "score": 0.4},
      {"image_id": 10, "category_id": 1, "bbox": [-3, 0, 30, 30], "score": 0.8},
      {"image_id": 10, "category_id": 7, "bbox": [0, 0, 9, 9], "score": 1}])";
  const std::string boxes = "--boxes " + at("boxes.json") + " ";
  const std::vector<pm::Json> lines = lines_of(run("--ndjson " + boxes + three_photos()).out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == json_of(run("--json --box 0,0,30,30.5 " + at("photos/im2.png"))));
  CHECK(lines[1] == json_of(run("--json --box 5,5,40,60 --box -3,0,30,30 " + at("photos/im10.jpg"))));
  CHECK(lines[2]["poses"].empty());
  CHECK(lines_of(run("--ndjson --threads 3 " + boxes + three_photos()).out) == lines);
  const std::vector<pm::Json> sure = lines_of(run("--ndjson --box-threshold 0.5 " + boxes + three_photos()).out);
  CHECK(sure[0]["poses"].empty());
  CHECK(sure[1] == lines[1]);
  CHECK(lines_of(run("--ndjson --box-category 7 " + boxes + three_photos()).out)[1]["poses"].size() == 1);
  CHECK(pm::parse_json(run("--format coco " + boxes + three_photos()).out, "coco").size() == 3);
  CHECK(json_of(run("--json " + boxes + at("photos/im10.jpg"))) == lines[1]);

  // The same as an annotation that knows the files by their names.
  std::ofstream(at("annotation.json")) << R"({"images": [{"id": 1, "file_name": "own.png"}], "annotations": [
      {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}]})";
  const std::string annotation = "--boxes " + at("annotation.json") + " ";
  CHECK(json_of(run("--json " + annotation + at("own.png"))) ==
        json_of(run("--json --box 1,2,30,40 " + at("own.png"))));

  // In shares, which other boxes would not fit.
  const std::string shared = "--ndjson " + three_photos() + " " + boxes;
  const auto part = [&](const char* number, const std::string& rest) {
    CHECK(run("-o " + at(std::string("boxes") + number) + " --shard " + number + "/2 " + shared + rest).code == 0);
  };
  part("1", "");
  part("2", "");
  const std::string merge = "merge " + at("boxes1") + " " + at("boxes2");
  CHECK(lines_of(tool_test::run_program(merge, Photos::instance().path()).out) == lines);
  part("2", "--box-threshold 0.85");
  tool_test::check_refused(merge, Photos::instance().path(), 3, "boxes");
}

TEST_CASE("estimate --boxes: what cannot be matched, drawn or true is refused") {
  std::ofstream(at("wide.json")) << R"([{"image_id": 2, "category_id": 1, "bbox": [500, 5, 40, 60], "score": 0.9},
      {"image_id": 11, "category_id": 1, "bbox": [5, 5, 40, 60], "score": 0.9},
      {"image_id": 11, "category_id": 1, "bbox": [6, 5, 40, 60], "score": 0.9}])";
  const std::string boxes = "--boxes " + at("wide.json") + " ";
  const Outcome outside = run("--ndjson " + boxes + three_photos());
  CHECK(outside.code == 3);
  CHECK(outside.err.find("im2.png: box: expected a box of more than 0 pixels that meets the image") !=
        std::string::npos);
  CHECK(lines_of(outside.out).size() == 2);
  check_refused("--panel " + at("q") + " " + boxes + three_photos(), 2,
                "--panel: expected one person per image, got 2");
  check_refused("--heatmaps " + at("q") + " " + boxes + three_photos(), 2, "--heatmaps: expected one person per image");
  CHECK(!fs::exists(at("q")));
  check_refused(boxes + at("own.png"), 2, "own.png: expected a name that ends in its image_id");
  check_refused(boxes + "--box 1,1,9,9 " + at("photos/im2.png"), 2,
                "--boxes: expected either --box or --boxes, got both");
  check_refused("--box-threshold 0.5 " + at("own.png"), 2, "--box-threshold: expected --boxes FILE.json");
  check_refused("--boxes " + at("absent.json") + " " + at("photos/im2.png"), 3, "absent.json");
  std::ofstream(at("flat.json")) << R"([{"image_id": 2, "category_id": 1, "bbox": [5, 5, 0, 60], "score": 0.9}])";
  check_refused("--boxes " + at("flat.json") + " " + at("photos/im2.png"), 3, "flat.json: [0].bbox: expected a width");
  std::ofstream(at("others.json")) << R"([{"image_id": 3, "category_id": 1, "bbox": [5, 5, 9, 60], "score": 0.9}])";
  const Outcome others = tool_test::run_program(
      "estimate --ndjson --model " + at("m.safetensors") + " --boxes " + at("others.json") + " " + three_photos(),
      Photos::instance().path());
  CHECK(others.code == 0);
  CHECK(others.err.find("no box is of any of these images") != std::string::npos);
}

}  // namespace estimate_output_test
