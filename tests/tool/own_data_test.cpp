// posemachine train and evaluate on people of one's own: tables and COCO's JSON, joints of any number.
#include "noise.hpp"
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace own_data_test {

namespace pm = posemachine;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

// Twelve pictures of noise with an arm of three joints in each, in every form of annotation; of every fourth one the
// tip is unlabelled.
class Arms {
 public:
  static const Arms& instance() {
    static const Arms arms;
    return arms;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

 private:
  Arms() {
    std::filesystem::create_directories(folder_ / "images");
    std::ofstream table(folder_ / "arms.csv");
    table << "image,base_x,base_y,left_tip_x,left_tip_y,right_tip_x,right_tip_y,box_x,box_y,box_width,box_height\n";
    pm::Json coco = {{"images", pm::Json::array()},
                     {"annotations", pm::Json::array()},
                     {"categories",
                      {{{"id", 1},
                        {"name", "arm"},
                        {"keypoints", {"base", "left_tip", "right_tip"}},
                        {"skeleton", {{1, 2}, {1, 3}}}}}}};
    for (int i = 0; i < 12; ++i) {
      const pm::Image image = test_environment::noise(64, 48, static_cast<std::uint64_t>(i));
      const std::string file = "arm" + std::to_string(i) + ".png";
      pm::write_png(folder_ / "images" / file, image);
      const int x = 20 + i;
      const bool whole = i % 4 != 3;
      table << file << "," << x << ",30," << x - 8 << ",12," << (whole ? std::to_string(x + 8) + ",14" : ",")
            << ",4,4,44,36\n";
      coco["images"].push_back({{"id", i}, {"file_name", file}});
      coco["annotations"].push_back(
          {{"id", i},
           {"image_id", i},
           {"category_id", 1},
           {"bbox", {4, 4, 44, 36}},
           {"keypoints", {x, 30, 2, x - 8, 12, 2, whole ? x + 8 : 0, whole ? 14 : 0, whole ? 2 : 0}}});
      write_shares(i, x, whole);
      write_shapes(i, x, whole);
    }
    std::ofstream(folder_ / "arms.json") << coco.dump();
    std::ofstream(folder_ / "arms.yaml") << "train: images\nnames: [arm]\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\n"
                                            "kpt_names: {0: [base, left_tip, right_tip]}\n";
  }

  // As Ultralytics has it: shares of 64 x 48, from the left top edge.
  void write_shares(int i, int x, bool whole) const {
    std::ostringstream line;
    line.precision(17);
    const auto joint = [&](int x_px, int y_px) {
      line << " " << (x_px + 0.5) / 64 << " " << (y_px + 0.5) / 48 << " 2";
    };
    line << "0 " << 26. / 64 << " " << 22. / 48 << " " << 44. / 64 << " " << 36. / 48;
    joint(x, 30);
    joint(x - 8, 12);
    if (whole) {
      joint(x + 8, 14);
    } else {
      line << " 0 0 0";
    }
    folder_.write("labels/arm" + std::to_string(i) + ".txt", line.str());
  }

  // As LabelMe has it: pixels from the left top edge.
  void write_shapes(int i, int x, bool whole) const {
    pm::Json shapes = {{{"label", "arm"}, {"shape_type", "rectangle"}, {"points", {{4, 4}, {48, 40}}}}};
    const auto add = [&](const char* label, int x_px, int y_px) {
      shapes.push_back({{"label", label}, {"shape_type", "point"}, {"points", {{x_px + 0.5, y_px + 0.5}}}});
    };
    add("base", x, 30);
    add("left_tip", x - 8, 12);
    if (whole) add("right_tip", x + 8, 14);
    const std::string name = "arm" + std::to_string(i);
    const pm::Json json = {
        {"shapes", shapes}, {"imagePath", "../images/" + name + ".png"}, {"imageHeight", 48}, {"imageWidth", 64}};
    folder_.write("shapes/" + name + ".json", json.dump());
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return Arms::instance().at(name); }

Outcome run(const std::string& arguments) { return tool_test::run_program(arguments, Arms::instance().path()); }

std::string train(const std::string& name, const std::string& data, const std::string& rest = "") {
  return "train scaling-dilation-small --run " + name + " --runs " + at("runs") + " --data " + data +
         " --set model.input_height=32 --set model.input_width=32 --set train.batch=4 --set train.slice=2 --set "
         "train.epochs=2 --set train.warmup_steps=1 --set train.workers=1 " +
         rest;
}

}  // namespace

TEST_CASE("own data: a table trains a network of its joints, which evaluates on the table and names what it has not") {
  const Outcome trained = run(train("table", "csv:" + at("arms.csv"), "--validation 0.25"));
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK(trained.err.find("9 people to train on, 3 for validation") != std::string::npos);
  const pm::Model model = pm::Model::load(at("runs/table/model.safetensors"));
  CHECK(model.spec().joints.joints == std::vector<std::string>{"base", "left_tip", "right_tip"});
  CHECK(pm::channels(model.graph(), {model.graph().outputs[0].value}) == 4);
  const pm::Json config = pm::parse_json(text_of(at("runs/table/config.json")), "config");
  CHECK(config["joints"]["pairs"].size() == 1);
  CHECK(config["validation"] == "0.25");

  const std::string model_file = " --model " + at("runs/table/model.safetensors");
  const Outcome text = run("evaluate --data csv:" + at("arms.csv") + model_file);
  INFO(text.err);
  REQUIRE(text.code == 0);
  CHECK(text.out.find("12 people, crops around their boxes") != std::string::npos);
  CHECK(text.out.find("PCK@0.2 of the box") != std::string::npos);
  CHECK(text.out.find("PCP") == std::string::npos);
  const pm::Json json = pm::parse_json(run("evaluate --json --data csv:" + at("arms.csv") + model_file).out, "stdout");
  CHECK(json["pck"]["normaliser"] == "box");
  CHECK(!json.contains("pcp_strict"));
  CHECK(json["stages"][0]["pck"]["parts"][2]["counted"] == 9);
  CHECK(json["stages"][0]["pck"]["parts"][1]["name"] == "left_tip");
  // The same people from the other formats, wherever these count pixels from.
  for (const std::string& other : {"coco:" + at("arms.json"), "yolo:" + at("arms.yaml"), "labelme:" + at("shapes")}) {
    CAPTURE(other);
    const Outcome evaluated = run("evaluate --json --data " + other + model_file);
    INFO(evaluated.err);
    REQUIRE(evaluated.code == 0);
    const pm::Json same = pm::parse_json(evaluated.out, "stdout");
    CHECK(same["stages"] == json["stages"]);
    CHECK(same["pck"] == json["pck"]);
  }
  // In shares.
  const std::string sharded = "evaluate --json --data csv:" + at("arms.csv") + model_file;
  for (const char* share : {"1", "2"}) {
    std::ofstream(at(std::string("share") + share)) << run(sharded + " --shard " + share + "/2").out;
  }
  const Outcome merged = run("merge --json " + at("share1") + " " + at("share2"));
  INFO(merged.err);
  REQUIRE(merged.code == 0);
  CHECK(pm::parse_json(merged.out, "stdout")["stages"] == json["stages"]);
}

TEST_CASE("own data: --validation is a share, a data set, a part of the data, or a list of images") {
  // Half of the images are YOLO's own part for validation.
  for (const char* part : {"first", "second"}) {
    std::filesystem::create_directories(at(std::string("parts/images/") + part));
    std::filesystem::create_directories(at(std::string("parts/labels/") + part));
  }
  for (int i = 0; i < 12; ++i) {
    const std::string name = "arm" + std::to_string(i), part = i < 8 ? "/first/" : "/second/";
    std::filesystem::copy(at("images/" + name + ".png"), at("parts/images" + part + name + ".png"));
    std::filesystem::copy(at("labels/" + name + ".txt"), at("parts/labels" + part + name + ".txt"));
  }
  const std::string head = "names: [arm]\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\ntrain: images/first\n";
  std::ofstream(at("parts/arms.yaml")) << head << "val: images/second\n";
  std::ofstream(at("parts/same.yaml")) << head << "val: images/first\n";
  const std::string short_run = "--set train.epochs=1 ", whole = "yolo:" + at("parts/arms.yaml");
  const auto says = [&](const std::string& name, const std::string& data, const std::string& rest,
                        const std::string& people) {
    const Outcome outcome = run(train(name, data, short_run + rest));
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.find(people) != std::string::npos);
    return outcome;
  };
  const auto validation_of = [&](const std::string& name) {
    return pm::parse_json(text_of(at("runs/" + name + "/config.json")), "config")["validation"];
  };
  says("own_val", whole, "", "8 people to train on, 4 for validation");
  CHECK(validation_of("own_val") == whole + ":val");
  CHECK(run("train --resume --run own_val --runs " + at("runs") + " --validation val").code == 0);
  says("named_val", whole, "--validation val", "8 people to train on, 4 for validation");
  CHECK(text_of(at("runs/named_val/config.json")) == text_of(at("runs/own_val/config.json")));
  says("no_val", "yolo:" + at("parts/same.yaml"), "", "7 people to train on, 1 for validation");
  const Outcome overlap = says("overlap", whole, "--validation train", "8 people to train on, 8 for validation");
  CHECK(overlap.err.find("8 images of validation are trained on, too") != std::string::npos);
  // A list.
  std::ofstream(at("val.txt")) << "arm3.png\nimages/arm5.png\nnobody.png\n";
  const Outcome listed = says("listed", "csv:" + at("arms.csv"), "--validation " + at("val.txt"),
                              "10 people to train on, 2 for validation");
  CHECK(listed.err.find("1 lines name no image of the data with people on it, \"nobody.png\" first") !=
        std::string::npos);
  CHECK(validation_of("listed") == at("val.txt"));
  CHECK(run("train --resume --run listed --runs " + at("runs")).code == 0);
  std::filesystem::copy(at("val.txt"), at("moved.txt"));
  CHECK(run("train --resume --run listed --runs " + at("runs") + " --validation " + at("moved.txt")).code == 0);
  const auto refused = [&](const std::string& arguments, int code, const std::string& message) {
    const Outcome outcome = run(arguments);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(outcome.err.find(message) != std::string::npos);
  };
  refused("train --resume --run listed --runs " + at("runs") + " --validation 0.5", 2, "validation: expected");
  std::ofstream(at("nobody.txt")) << "nobody.png\n";
  refused(train("none", "csv:" + at("arms.csv"), "--validation " + at("nobody.txt")), 3,
          "expected names of images of the data, one per line, got \"nobody.png\" and no other");
  const std::string forms =
      "--validation: expected a share of the images from 0 to below 1, a data set KIND:PATH[:PART], a part of the data "
      "(val), or a file with the name of an image per line, got ";
  refused(train("none", "csv:" + at("arms.csv"), "--validation vla"), 2,
          forms + "\"vla\"; a part alone needs one data set");
  refused(train("none", "csv:" + at("arms.csv"), "--validation ./no.txt"), 2,
          forms + "\"./no.txt\"; there is no such file");
  refused(train("none", "csv:" + at("arms.csv"), "--validation voc:x"), 2, forms + "\"voc:x\"");
  refused(train("none", whole, "--validation vla"), 2, "expected the part train, val or test");
  CHECK_FALSE(std::filesystem::exists(at("runs/none")));
}

TEST_CASE(
    "own data: a run goes on with its joints and its validation, and gives the bytes of one that was not stopped") {
  const std::string data = "coco:" + at("arms.json");
  REQUIRE(run(train("whole", data)).code == 0);
  REQUIRE(run(train("parts", data, "--set train.checkpoint_steps=1")).code == 0);
  // As if it had been killed after the first epoch: the checkpoint is another run's of one epoch's steps.
  const std::string last = at("runs/parts/ckpt/last.safetensors");
  const pm::Checkpoint end = pm::load_checkpoint(last);
  REQUIRE(run(train("first", data, "--set train.epochs=1")).code == 0);
  pm::Checkpoint stopped = pm::load_checkpoint(at("runs/first/ckpt/last.safetensors"));
  stopped.options = end.options;
  pm::save_checkpoint(stopped, last);
  std::filesystem::remove(at("runs/parts/model.safetensors"));
  const Outcome resumed = run("train --resume --run parts --runs " + at("runs"));
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK(text_of(at("runs/parts/model.safetensors")) == text_of(at("runs/whole/model.safetensors")));
  // Another validation or other joints are a contradiction.
  const auto refused = [&](const std::string& arguments, int code, const std::string& message) {
    const Outcome outcome = run(arguments);
    INFO(outcome.err);
    CHECK(outcome.code == code);
    CHECK(outcome.err.find(message) != std::string::npos);
  };
  refused("train --resume --run whole --runs " + at("runs") + " --validation 0.5", 2,
          "validation: expected none, as the run has");
  std::ofstream(at("joints.json")) << R"(["left_tip", "base"])";
  refused("train --resume --run whole --runs " + at("runs") + " --joints " + at("joints.json"), 2, "joints: expected");
  refused("evaluate --data coco:" + at("arms.json"), 2, "expected joints of the set lsp");
  refused("evaluate --data coco:" + at("arms.json") + ":leg --model " + at("runs/whole/model.safetensors"), 3,
          "expected \"leg\", with keypoints, got arm");
  refused("evaluate --split test --data coco:" + at("arms.json"), 2, "name the part behind the data");
  refused(
      "evaluate --normaliser torso --data coco:" + at("arms.json") + " --model " + at("runs/whole/model.safetensors"),
      2, "expected a joint set with a torso");
  refused(train("none", "coco:" + at("nowhere.json")), 3, "got no such file or folder");
  refused(train("none", "voc:" + at("arms.json")), 2, "expected one of lsp:DIR");
  refused(train("none", data, "--validation 1.5"), 2, "a share of the images from 0 to below 1");
  CHECK_FALSE(std::filesystem::exists(at("runs/none")));
  // A folder of images is for data that takes one.
  refused("evaluate --images " + at("images") + " --data yolo:" + at("arms.yaml"), 2,
          "--images: expected data of a kind");
  refused(train("none", "yolo:" + at("arms.yaml"), "--images " + at("images")), 2, "got yolo:" + at("arms.yaml"));
  refused("dataset check --images " + at("images") + " --data yolo:" + at("arms.yaml"), 2, "--images: expected");
  CHECK(run(train("mixed", "yolo:" + at("arms.yaml"),
                  "--data csv:" + at("arms.csv") + " --set train.epochs=1 --images " + at("images")))
            .code == 0);
  refused("estimate --threshold nan " + at("images/arm0.png"), 2, "--threshold: expected a score from 0 to 1, got nan");
  // Joints of one's choice, in one's order.
  const Outcome chosen = run(train("chosen", data, "--joints " + at("joints.json")));
  INFO(chosen.err);
  REQUIRE(chosen.code == 0);
  CHECK(pm::Model::load(at("runs/chosen/model.safetensors")).spec().joints.joints ==
        std::vector<std::string>{"left_tip", "base"});
  // Going on keeps the checkpoint's joints, in its order, and takes no others.
  const std::string chosen_last = at("runs/chosen/ckpt/last.safetensors");
  const Outcome on = run(train("on", data, "--from " + chosen_last + " --set train.epochs=3"));
  INFO(on.err);
  CHECK(on.code == 0);
  CHECK(pm::Model::load(at("runs/on/model.safetensors")).spec().joints.joints ==
        std::vector<std::string>{"left_tip", "base"});
  std::ofstream(at("swapped.json")) << R"(["base", "left_tip"])";
  refused(train("off", data, "--from " + chosen_last + " --joints " + at("swapped.json")), 2,
          "expected a checkpoint of the joints [\"base\",\"left_tip\"]");
  // Joints of any name: the report's own keys stay what they are.
  std::ofstream(at("named.csv")) << "image,threshold_x,threshold_y,mean_x,mean_y\narm0.png,20,30,12,12\n";
  REQUIRE(run(train("named", "csv:" + at("named.csv"), "--set train.epochs=1")).code == 0);
  const pm::Json named = pm::parse_json(run("evaluate --json --threshold 0.25 --data csv:" + at("named.csv") +
                                            " --model " + at("runs/named/model.safetensors"))
                                            .out,
                                        "stdout");
  CHECK(named["pck"]["threshold"] == 0.25);
  CHECK(named["pck"]["groups"].contains("threshold"));
  // Damaged photographs are named and left out, in training and in validation, the first of whose people are drawn.
  std::filesystem::create_directories(at("damaged/images"));
  std::filesystem::copy(at("arms.csv"), at("damaged/arms.csv"));
  for (const char* side : {"train", "validate"}) {
    std::filesystem::copy(at("images"), at("damaged/images"), std::filesystem::copy_options::overwrite_existing);
    std::ofstream(at("damaged/one.csv")) << "image,base_x,base_y,left_tip_x,left_tip_y,right_tip_x,right_tip_y\n"
                                            "arm5.png,25,30,17,12,33,14\narm6.png,26,30,18,12,34,14\n";
    std::ofstream(at("damaged/images/arm5.png"), std::ios::trunc) << "\x89PNG";
    const std::string other = "csv:" + at(std::string("damaged/") + (side[0] == 't' ? "arms.csv" : "one.csv"));
    const std::string sound = "csv:" + at("arms.csv");
    const Outcome damaged =
        run(train(std::string("damaged_") + side, side[0] == 't' ? other : sound,
                  "--set train.epochs=1 --set train.pictures=2 --validation " + (side[0] == 't' ? sound : other)));
    INFO(damaged.err);
    CHECK(damaged.code == 0);
    CHECK(damaged.err.find("left out: " + at("damaged/images/arm5.png")) != std::string::npos);
    CHECK(damaged.err.find("photographs that could not be used: 1") != std::string::npos);
    CHECK(damaged.err.find("\n  " + at("damaged/images/arm5.png")) != std::string::npos);  // once more, at the end
    // Named before the first step.
    const std::size_t said = damaged.err.find("left out: ");
    CHECK(damaged.err.find("1 of 13 photographs are damaged") < said);  // the others are where the sound ones are
    CHECK(said < damaged.err.find("epoch 1"));
  }
  // All of validation is damaged, or has none of the joints: no number, and no end.
  std::ofstream(at("damaged/images/arm6.png"), std::ios::trunc) << "\x89PNG";
  const Outcome none = run(
      train("unmeasured", "csv:" + at("arms.csv"), "--set train.epochs=2 --validation csv:" + at("damaged/one.csv")));
  INFO(none.err);
  CHECK(none.code == 0);
  CHECK(text_of(at("runs/unmeasured/metrics.jsonl")).find("\"val_pck\":null") != std::string::npos);
  // What a configuration cannot hold is refused before a folder is made.
  std::filesystem::copy(at("arms.csv"), at("caf\xE9.csv"));
  refused(train("latin", "csv:" + at("caf\xE9.csv")), 2, "data: expected text in UTF-8");
  CHECK_FALSE(std::filesystem::exists(at("runs/latin")));
  for (const char* threshold : {"0", "-1", "inf", "nan"}) {
    refused("evaluate --data csv:/nowhere.csv --threshold " + std::string(threshold), 2, "--threshold");
  }
  // One person is a data set, too.
  std::ofstream(at("one.csv")) << "image,base_x,base_y\narm0.png,20,30\n";
  const Outcome one = run(train("one", "csv:" + at("one.csv"), "--set train.epochs=1"));
  INFO(one.err);
  CHECK(one.code == 0);
  CHECK(one.err.find("no validation: it needs people of its own") != std::string::npos);
}

}  // namespace own_data_test
