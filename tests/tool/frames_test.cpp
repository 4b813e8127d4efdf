// The program on videos in files: networks of several frames trained, measured, drawn, and refused.
#include "noise.hpp"
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace frames_test {

namespace pm = posemachine;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

// Twelve pictures of noise, every fifth frame of a video, of which every other one is annotated; a copy of one of them
// that stands alone, and a copy of it with the frame before it.
class Video {
 public:
  static const Video& instance() {
    static const Video video;
    return video;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  static std::string name(int i) { return "clip_" + std::to_string(5 * i) + ".png"; }

 private:
  Video() {
    for (const char* each : {"video/images", "alone", "pair"}) std::filesystem::create_directories(folder_ / each);
    std::ofstream table(folder_ / "video/table.csv");
    table << "image,left_x,left_y,right_x,right_y\n";
    for (int i = 0; i < 12; ++i) {
      pm::write_png(folder_ / "video/images" / name(i), test_environment::noise(40, 40, static_cast<std::uint64_t>(i)));
      if (i % 2 == 1) table << name(i) << "," << 10 + i << ",12," << 30 - i << ",25\n";
    }
    std::filesystem::copy_file(folder_ / "video/images" / name(3), folder_ / "alone" / "photo.png");
    std::filesystem::copy_file(folder_ / "video/images" / name(2), folder_ / "pair" / "f9.png");
    std::filesystem::copy_file(folder_ / "video/images" / name(3), folder_ / "pair" / "f10.png");
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return Video::instance().at(name); }
std::string frame(int i) { return at("video/images/" + Video::name(i)); }

Outcome run(const std::string& arguments) { return tool_test::run_program(arguments, Video::instance().path()); }

void check_refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(arguments, Video::instance().path(), code, message);
}

std::string train(const std::string& name, const std::string& rest,
                  const std::string& network = "scaling-dilation-small") {
  return "train " + network + " --run " + name + " --runs " + at("runs") + " --data csv:" + at("video/table.csv") +
         " --set model.input_height=32 --set model.input_width=32 --set train.batch=2 --set train.slice=2 --set "
         "train.epochs=1 --set train.warmup_steps=1 --set train.workers=1 --validation 0.25 " +
         rest;
}

// The model of a run on two frames, trained once.
const std::string& model() {
  static const std::string file = [] {
    const Outcome trained = run(train("two", "--set 'model.frames=[-1,0]'"));
    INFO(trained.err);
    REQUIRE(trained.code == 0);
    return at("runs/two/model.safetensors");
  }();
  return file;
}

// The model's last maps of an image.
std::string maps(const std::string& image) {
  const Outcome outcome = run("estimate --model " + model() + " --heatmaps " + at("maps.npy") + " " + image);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return text_of(at("maps.npy"));
}

}  // namespace

TEST_CASE("frames: a named network trains on two frames, and its model says so") {
  CHECK(pm::Model::load(model()).spec().frames == std::vector{-1, 0});
  const pm::Json config = pm::parse_json(text_of(at("runs/two/config.json")), "config");
  CHECK(config["model"]["frames"] == pm::Json::array({-1, 0}));
  CHECK(run("summary " + model()).out.find("input 32 x 32 (height x width), 2 frames (-1, 0)\n") != std::string::npos);
  const pm::Json json = tool_test::json_of(run("summary --json " + model()));
  CHECK(json["input"]["channels"] == 6);
  CHECK(json["input"]["frames"] == pm::Json::array({-1, 0}));
  CHECK(run("export --onnx " + at("two.onnx") + " " + model()).code == 0);
  const Outcome evaluated = run("evaluate --json --model " + model() + " --data csv:" + at("video/table.csv"));
  CHECK(tool_test::json_of(evaluated)["pck"]["normaliser"] == "box");
  CHECK(std::filesystem::exists(at("runs/two/pictures")));
  // A run of one frame says nothing of it, as ever.
  const Outcome one = run(train("one", ""));
  INFO(one.err);
  REQUIRE(one.code == 0);
  CHECK(text_of(at("runs/one/config.json")).find("frames") == std::string::npos);
  CHECK(tool_test::json_of(run("summary --json " + at("runs/one/model.safetensors")))["input"]["channels"] == 3);
}

TEST_CASE("frames: estimate finds the frames beside an image; one alone or from standard input is all frames") {
  const std::string with_neighbour = maps(frame(3));
  CHECK(maps(at("pair/f10.png")) == with_neighbour);
  const std::string alone = maps(at("alone/photo.png"));
  CHECK(alone != with_neighbour);
  CHECK(maps("- <" + frame(3)) == alone);
  CHECK(maps(frame(0)) != maps(frame(1)));
  // Drawn on the frame itself; no joint scores 1.
  const Outcome drawn = run("estimate --model " + model() + " --threshold 1 --overlay " + at("overlay.png") +
                            " --panel " + at("panel.png") + " " + frame(3));
  INFO(drawn.err);
  REQUIRE(drawn.code == 0);
  CHECK(pm::read_image(at("overlay.png")).pixels == pm::read_image(frame(3)).pixels);
  CHECK(std::filesystem::exists(at("panel.png")));
  // Several boxes, and a folder on any number of threads.
  const std::string boxes = " --box 0,0,20,20 --box 10,10,25,25 --json ";
  CHECK(run("estimate --threads 2 --model " + model() + boxes + frame(3)).out ==
        run("estimate --threads 1 --model " + model() + boxes + frame(3)).out);
  const auto lines = [&](const std::string& threads) {
    return run("estimate --ndjson --threads " + threads + " --model " + model() + " " + at("video/images")).out;
  };
  const std::string all = lines("1");
  CHECK(lines("3") == all);
  CHECK(all.find(run("estimate --ndjson --model " + model() + " " + frame(3)).out) != std::string::npos);
}

TEST_CASE("frames: a neighbour of another size is bad data in estimate, and left out by evaluate and train") {
  const std::filesystem::path folder = at("mixed");
  std::filesystem::copy(at("video"), folder, std::filesystem::copy_options::recursive);
  pm::write_png(folder / "images" / Video::name(2), test_environment::noise(20, 30, 1));
  const std::string image = (folder / "images" / Video::name(3)).string();
  const std::string message = image + ": frame -1: " + (folder / "images" / Video::name(2)).string() +
                              ": expected 40 x 40 pixels, as " + image + " has, got 20 x 30";
  check_refused("estimate --model " + model() + " " + image, 3, message);
  const std::string data = "csv:" + (folder / "table.csv").string();
  const Outcome evaluated = run("evaluate --model " + model() + " --data " + data);
  CHECK(evaluated.code == 0);
  CHECK(evaluated.err.find("left out: " + message) != std::string::npos);
  CHECK(run("dataset check --data " + data).code == 0);
  const Outcome checked = run("dataset check --frames '[-1,0]' --data " + data);
  CHECK(checked.code == 3);
  CHECK(checked.out.find("damaged frame: " + message) != std::string::npos);
  check_refused("dataset check --frames '[-1]' --data " + data, 2, "--frames: expected 0 among the offsets");
  std::string arguments = train("mixed", "--set 'model.frames=[-1,0]'");
  const std::string usual = "csv:" + at("video/table.csv");
  const Outcome trained = run(arguments.replace(arguments.find(usual), usual.size(), data));
  CHECK(trained.code == 0);
  CHECK(trained.err.find("left out: " + message) != std::string::npos);
}

TEST_CASE("frames: a run goes on with its frames, and another one begins with the weights of a network of one") {
  model();
  const std::string resume = "train --run two --resume --runs " + at("runs") + " ";
  CHECK(run(resume + "--set 'model.frames=[-1,0]'").code == 0);
  check_refused(resume + "--set 'model.frames=[0,1]'", 2, "frames: expected [-1,0], as the run has, got [0,1]");
  const std::string last = at("runs/two/ckpt/last.safetensors");
  const Outcome on = run(train("on", "--set train.epochs=2 --from " + last));
  INFO(on.err);
  CHECK(on.code == 0);
  CHECK(pm::Model::load(at("runs/on/model.safetensors")).spec().frames == std::vector{-1, 0});
  check_refused(train("no", "--set 'model.frames=[-1,0,1]' --from " + last), 2,
                "--init takes what fits of another network's weights");
  const Outcome begun = run(train("three", "--set 'model.frames=[-1,0,1]' --init " + model()));
  INFO(begun.err);
  CHECK(begun.code == 0);
  const std::string count = std::to_string(pm::Model::load(model()).parameters().size());
  CHECK(begun.err.find(count + " of " + count + " tensors taken") != std::string::npos);
}

TEST_CASE("frames: what does not fit is refused by its key, and a network file says its channels itself") {
  check_refused(train("no", "--set 'model.frames=[-1]'"), 2, "model.frames: expected 0 among the offsets");
  check_refused(train("no", "--set model.frames=-1,0"), 2, "model.frames: expected a list of 1 to 8 offsets");
  check_refused(train("no", "--set 'model.frames=[0,20]'"), 2, "model.frames: expected offsets from -16 to 16, got 20");
  const auto network = [](int channels, const std::string& spec) {
    return R"({"network": "own", "meaning": {)" + spec + R"("joint_set": {"name": "two", "joints": ["left", "right"],
        "pairs": [["left", "right"]], "limbs": [], "groups": [], "sticks": []}}, "layers": [{"Input": {"name": "image",
        "channels": )" +
           std::to_string(channels) + R"(}}, {"Conv": {"out": 3, "kernel": 3, "stride": 4}}, {"Output": "heatmaps"}]})";
  };
  std::ofstream(at("one.json")) << network(3, "");
  std::ofstream(at("own.json")) << network(6, R"("frames": [-1, 0], )");
  check_refused(
      train("no", "--set 'model.frames=[-1,0]'", at("one.json")), 2,
      "model.frames: expected frames of 3 channels, as the network's input has, got -1, 0; say \"channels\": 6");
  const Outcome trained = run(train("own", "", at("own.json")));
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK(pm::Model::load(at("runs/own/model.safetensors")).spec().frames == std::vector{-1, 0});
  // Other frames in the same number need no other channels.
  REQUIRE(run(train("ahead", "--set 'model.frames=[0,1]'", at("own.json"))).code == 0);
  CHECK(pm::Model::load(at("runs/ahead/model.safetensors")).spec().frames == std::vector{0, 1});
  const Outcome again = run("train --config " + at("runs/ahead/config.json") + " --run ahead_too --runs " + at("runs"));
  INFO(again.err);
  CHECK(again.code == 0);
  CHECK(text_of(at("runs/ahead_too/model.safetensors")) == text_of(at("runs/ahead/model.safetensors")));
  check_refused(train("no", "--set 'model.frames=[0]'", at("own.json")), 2,
                "model.frames: expected frames of 6 channels, as the network's input has, got 0; say \"channels\": 3");
}

}  // namespace frames_test
