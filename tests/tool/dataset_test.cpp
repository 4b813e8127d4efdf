// posemachine dataset as users have it: findings, figures, pictures and other formats of twenty-five drawn people.
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace dataset_test {

namespace pm = posemachine;
using tool_test::json_of;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

class People {
 public:
  static const People& instance() {
    static const People people;
    return people;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

 private:
  People() {
    std::filesystem::create_directories(folder_ / "images");
    std::ofstream clean(folder_ / "clean.csv"), wrong(folder_ / "wrong.csv");
    std::string header = "image";
    for (const char* joint : {"left_hip", "right_hip", "left_knee", "right_knee", "left_foot", "right_foot"}) {
      header += std::string(",") + joint + "_x," + joint + "_y";
    }
    clean << header << "\n";
    wrong << header << "\n";
    for (int i = 0; i < 25; ++i) {
      pm::Image image(64, 48);
      image.pixels[0] = static_cast<std::uint8_t>(i);
      const std::string name = "p" + std::to_string(i) + ".png";
      pm::write_png(folder_ / "images" / name, image);
      clean << name << ",40,10,20,10,40,20,20,20,40,30,20,30\n";
      wrong << name << (i == 3 ? ",40,10,20,10,20,20,40,20,40,30,20,30\n" : ",40,10,20,10,40,20,20,20,40,30,20,30\n");
    }
    wrong << "p7.png,40,10,20,10,40,20,20,20,40,30,20,130\n";
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return People::instance().at(name); }
Outcome run(const std::string& arguments) { return tool_test::run_program(arguments, People::instance().path()); }
void refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(arguments, People::instance().path(), code, message);
}

}  // namespace

TEST_CASE("dataset check: sentences and counts, exit code 3 where something is found") {
  const Outcome clean = run("dataset check --data csv:" + at("clean.csv"));
  CHECK(clean.code == 0);
  CHECK(clean.out == "25 people in 25 images: nothing found\n");
  const Outcome wrong = run("dataset check --threads 1 --data csv:" + at("wrong.csv"));
  CHECK(wrong.code == 3);
  CHECK(wrong.out.find("sides swapped: " + at("images/p3.png") + ": left_knee and right_knee look exchanged\n") !=
        std::string::npos);
  CHECK(wrong.out.find("p7.png: right_foot lies beyond its 64 x 48 pixels\n") != std::string::npos);
  CHECK(wrong.out.find("26 people in 25 images\n       1  joint outside\n       1  sides swapped\n") !=
        std::string::npos);
  const Outcome json = run("dataset check --json --data csv:" + at("wrong.csv"));
  CHECK(json.code == 3);
  const pm::Json findings = pm::parse_json(json.out, "stdout");
  CHECK(findings["counts"]["sides swapped"] == 1);
  CHECK(findings["findings"].size() == 2);
}

TEST_CASE("dataset stats, show and convert: figures, pictures, the same people in another format") {
  const pm::Json stats = json_of(run("dataset stats --json --data csv:" + at("wrong.csv")));
  CHECK(stats["people"] == 26);
  CHECK(stats["images_by_people"] == pm::Json::array({24, 1}));
  CHECK(stats["joints"][5]["outside"] == 1);
  CHECK(run("dataset stats --data csv:" + at("clean.csv")).out.find("25 people in 25 images, 6 joints (clean)\n") == 0);

  CHECK(run("dataset show --count 4 -o " + at("shown/deep") + " --data csv:" + at("clean.csv")).out ==
        "4 of 25 images drawn into " + at("shown/deep") + "\n");
  const pm::Image drawn = pm::read_image(at("shown/deep/0001_p0.png"));
  CHECK(drawn.width == 64);
  CHECK(drawn.pixels != pm::read_image(at("images/p0.png")).pixels);
  CHECK(run("dataset show --problems -o " + at("problems") + " --data csv:" + at("wrong.csv")).out ==
        "2 of 2 images drawn into " + at("problems") + "\n");

  CHECK(run("dataset convert --data csv:" + at("clean.csv") + " --to coco:" + at("people.json")).code == 0);
  CHECK(run("dataset convert --data coco:" + at("people.json") + " --to csv:" + at("back.csv")).code == 0);
  CHECK(run("dataset convert --data csv:" + at("back.csv") + " --to coco:" + at("again.json")).code == 0);
  const pm::Json people = pm::parse_json(text_of(at("people.json")), "people");
  pm::Json again = pm::parse_json(text_of(at("again.json")), "again");
  CHECK(people["images"] == again["images"]);
  CHECK(people["annotations"] == again["annotations"]);
  CHECK(people["images"][0]["file_name"] == "images/p0.png");
  // Ultralytics' data, with links to the images; read back, the same table but for rounding.
  REQUIRE(run("dataset convert --data csv:" + at("clean.csv") + " --to yolo:" + at("yolo")).code == 0);
  CHECK(std::filesystem::is_symlink(at("yolo/images/train/p0.png")));
  CHECK(run("dataset check --data yolo:" + at("yolo/data.yaml")).out == "25 people in 25 images: nothing found\n");
  refused("dataset convert --force --data csv:" + at("clean.csv") + " --to yolo:" + at("yolo"), 2,
          "expected a folder without images/train and labels/train");
  // A joint set by its name.
  CHECK(run("dataset convert --joints lsp --data csv:" + at("clean.csv") + " --to csv:" + at("lsp.csv")).code == 0);
  CHECK(text_of(at("lsp.csv")).starts_with("image,right_ankle_x,right_ankle_y,right_ankle_v,right_knee_x"));
  refused("dataset stats --joints lps --data csv:" + at("clean.csv"), 2, "--joints: expected lsp, mpii, coco, body_25");
  std::ofstream(at("knees.json")) << R"(["right_knee", "left_knee", "tail"])";
  CHECK(run("dataset convert --joints " + at("knees.json") + " --data csv:" + at("clean.csv") +
            " --to csv:" + at("knees.csv"))
            .code == 0);
  CHECK(text_of(at("knees.csv")).find("images/p0.png,20.0,20.0,2,40.0,20.0,2,,,0\n") != std::string::npos);
}

TEST_CASE("dataset: absent images are findings, each of them; elsewhere an error unless that is allowed") {
  std::filesystem::create_directories(at("gaps/images"));
  std::ofstream table(at("gaps/people.csv"));
  table << "image,left_hip_x,left_hip_y,right_hip_x,right_hip_y\n";
  for (const char* name : {"p0.png", "gone1.png", "gone2.png", "gone2.png"}) table << name << ",40,10,20,10\n";
  table << "p0.png,,,,\n";
  table.close();
  std::filesystem::copy(at("images/p0.png"), at("gaps/images"));
  const std::string data = " --data csv:" + at("gaps/people.csv");
  const Outcome found = run("dataset check --threads 1" + data);
  CHECK(found.code == 3);
  CHECK(found.out.find("absent image: " + at("gaps/images/gone1.png") + ": absent, with a person on it\n") !=
        std::string::npos);
  CHECK(found.out.find("gone2.png: absent, with 2 people on it\n") != std::string::npos);
  CHECK(found.out.find("       2  absent image\n") != std::string::npos);
  CHECK(found.out.find("left out: people without a labelled joint (1)\n") != std::string::npos);
  const pm::Json json = pm::parse_json(run("dataset check --json" + data).out, "stdout");
  CHECK(json["counts"]["absent image"] == 2);
  CHECK(json["left_out"]["people without a labelled joint"] == 1);
  const Outcome allowed = run("dataset check --allow-missing" + data);
  CHECK(allowed.code == 0);
  CHECK(allowed.err.find("left out: 3 of 4 people, whose images are absent: 2") != std::string::npos);
  refused("dataset stats" + data, 3, "3 of 4 people without theirs");
  const pm::Json stats = json_of(run("dataset stats --json --allow-missing" + data));
  CHECK(stats["people"] == 1);
  CHECK(stats["images"] == 1);
  CHECK(stats["left_out"].size() == 1);
  CHECK(run("dataset convert --allow-missing" + data + " --to csv:" + at("gaps/kept.csv")).out.find("1 people") == 0);
}

TEST_CASE("dataset: what cannot be is refused before anything is written") {
  refused("dataset", 2, "A subcommand is required");
  refused("dataset check", 2, "--data is required");
  refused("dataset check --data pictures:x", 2, "expected one of lsp:DIR");
  refused("dataset check --data csv:" + at("absent.csv"), 3, "got no such file or folder");
  refused("dataset show --data csv:" + at("clean.csv"), 2, "--output is required");
  const std::string convert = "dataset convert --data csv:" + at("clean.csv") + " --to ";
  refused(convert + "lsp:" + at("x"), 2,
          "--to: expected one of coco:FILE.json, csv:FILE.csv, yolo:FILE.yaml, got \"lsp:");
  refused(convert + "csv:", 2, "--to: expected one of");
  refused(convert + "csv:" + at("wrong.csv"), 2, "expected a file that is not there yet, got " + at("wrong.csv"));
  refused(convert + "csv:" + at("wrong.csv"), 2, "--force replaces it");
  refused(convert + "csv:" + at("clean.csv") + " --force", 2, "clean.csv, which is read");
  refused(convert + "csv:" + at("images/p3.png") + " --force", 2, "p3.png, one of the images");
  refused(convert + "csv:" + at("no/such/folder.csv"), 1, "no/such");
}

}  // namespace dataset_test
