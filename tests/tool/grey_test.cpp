// The program on pictures of one channel: trained, measured, drawn, and refused where bits are missing.
#include "noise.hpp"
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace grey_test {

namespace pm = posemachine;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

// Eight pictures with two joints in each, as 16-bit depth, as 8-bit grey and as RGB of that grey.
class Pictures {
 public:
  static const Pictures& instance() {
    static const Pictures pictures;
    return pictures;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

 private:
  Pictures() {
    for (const char* kind : {"depth", "grey", "rgb"}) {
      std::filesystem::create_directories(folder_ / kind / "images");
      std::ofstream table(folder_ / kind / "table.csv");
      table << "image,left_x,left_y,right_x,right_y\n";
      for (int i = 0; i < 8; ++i) table << "p" << i << ".png," << 10 + i << ",12," << 30 - i << ",25\n";
    }
    for (int i = 0; i < 8; ++i) {
      const std::string file = "images/p" + std::to_string(i) + ".png";
      const pm::GreyImage grey = pm::luma(test_environment::noise(40, 40, static_cast<std::uint64_t>(i)));
      pm::DepthImage depth(40, 40);
      for (std::size_t k = 0; k < depth.pixels.size(); ++k) {
        depth.pixels[k] = static_cast<std::uint16_t>(1000 + 10 * grey.pixels[k]);
      }
      pm::write_png(folder_ / "depth" / file, depth);
      pm::write_png(folder_ / "grey" / file, grey);
      pm::write_png(folder_ / "rgb" / file, pm::rgb_of(grey));
    }
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return Pictures::instance().at(name); }
std::string data(const std::string& kind) { return "csv:" + at(kind + "/table.csv"); }

Outcome run(const std::string& arguments) { return tool_test::run_program(arguments, Pictures::instance().path()); }

void check_refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(arguments, Pictures::instance().path(), code, message);
}

std::string train(const std::string& name, const std::string& kind, const std::string& rest) {
  return "train scaling-dilation-small --run " + name + " --runs " + at("runs") + " --data " + data(kind) +
         " --set model.input_height=32 --set model.input_width=32 --set train.batch=2 --set train.slice=2 --set "
         "train.epochs=1 --set train.warmup_steps=1 --set train.workers=1 --validation 0.25 " +
         rest;
}

const std::string depth_settings = "--set model.colour_order=grey --set model.bit_depth=16 ";

// The model of a run on 16-bit depth, trained once.
const std::string& depth_model() {
  static const std::string file = [] {
    const Outcome trained = run(train("depth", "depth", depth_settings + "--set model.mean=1500"));
    INFO(trained.err);
    REQUIRE(trained.code == 0);
    return at("runs/depth/model.safetensors");
  }();
  return file;
}

}  // namespace

TEST_CASE("grey: a named network trains on 16-bit depth, and its model says what it was trained on") {
  const pm::ModelSpec spec = pm::Model::load(depth_model()).spec();
  CHECK(spec.colour_order == "grey");
  CHECK(spec.bit_depth == 16);
  CHECK(spec.normalisation.mean[0] == 1500);
  CHECK(spec.normalisation.scale[0] == 1.0 / 4000);
  const pm::Json config = pm::parse_json(text_of(at("runs/depth/config.json")), "config");
  CHECK(config["model"]["bit_depth"] == 16);
  CHECK(config["model"]["mean"] == pm::Json::array({1500.0}));

  const Outcome summary = run("summary " + depth_model());
  CHECK(summary.out.find("input 32 x 32 (height x width), one channel of 16 bits, (x - 1500) x 0.00025") !=
        std::string::npos);
  const pm::Json json = tool_test::json_of(run("summary --json " + depth_model()));
  CHECK(json["input"]["channels"] == 1);
  CHECK(json["input"]["bit_depth"] == 16);
  CHECK(run("export --onnx " + at("depth.onnx") + " " + depth_model()).code == 0);

  const Outcome evaluated = run("evaluate --json --model " + depth_model() + " --data " + data("depth"));
  CHECK(tool_test::json_of(evaluated)["pck"]["normaliser"] == "box");
  CHECK(std::filesystem::exists(at("runs/depth/pictures")));
}

TEST_CASE("grey: a run on depth goes on with its input, and says so where another is asked for") {
  depth_model();
  const std::string resume = "train --run depth --resume --runs " + at("runs") + " ";
  const Outcome resumed = run(resume + depth_settings + "--set model.mean=[1500]");
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  check_refused(resume + "--set model.bit_depth=8", 2, "model.bit_depth: expected 16, as the run has, got 8");
  check_refused(resume + "--set model.mean=1600", 2, "model.mean: expected [1500.0], as the run has, got 1600");
  check_refused(resume + "--set model.scale=1", 2, "model.scale: expected [0.00025], as the run has, got 1");
  const Outcome from =
      run(train("on", "depth", "--set train.epochs=2 --from " + at("runs/depth/ckpt/last.safetensors")));
  INFO(from.err);
  CHECK(from.code == 0);
  CHECK(pm::Model::load(at("runs/on/model.safetensors")).spec().normalisation.mean[0] == 1500);
}

TEST_CASE("grey: a configuration says what its network file does not, usual or not, and a run goes on with it") {
  const Outcome description = run("summary --description " + depth_model());
  REQUIRE(description.code == 0);
  pm::Json network = pm::parse_json(description.out, "description");
  network["meaning"]["bit_depth"] = 16;
  network["meaning"]["normalisation"] = {{"mean", {1500.0}}, {"scale", {0.001}}};
  std::ofstream(at("network.json")) << network.dump();
  const std::string short_run =
      " --runs " + at("runs") + " --set train.batch=2 --set train.slice=2 --set train.epochs=1 --set train.workers=1 ";
  const auto spec_of = [](const std::string& name) {
    return pm::Model::load(at("runs/" + name + "/model.safetensors")).spec();
  };
  const auto options_of = [](const std::string& name) {
    return pm::parse_json(text_of(at("runs/" + name + "/config.json")), "config")["model"];
  };
  const std::string start = "train " + at("network.json") + " --validation 0.25" + short_run;
  // 8 bits, which a configuration does not state elsewhere, on a network of 16.
  REQUIRE(run(start + "--run eight --set model.bit_depth=8 --data " + data("grey")).code == 0);
  CHECK(spec_of("eight").bit_depth == 8);
  CHECK(spec_of("eight").normalisation == pm::default_normalisation(8));
  CHECK(options_of("eight")["bit_depth"] == 8);
  CHECK(run("train --resume --run eight" + short_run).code == 0);
  REQUIRE(run("train --config " + at("runs/eight/config.json") + " --run eight_too" + short_run).code == 0);
  CHECK(text_of(at("runs/eight_too/model.safetensors")) == text_of(at("runs/eight/model.safetensors")));
  // The usual normalisation, on a network of another.
  REQUIRE(run(start + "--run usual --set model.mean=2000 --set model.scale=0.00025 --data " + data("depth")).code == 0);
  CHECK(spec_of("usual").normalisation == pm::default_normalisation(16));
  CHECK(options_of("usual")["mean"] == pm::Json::array({2000.0}));
  REQUIRE(run("train --config " + at("runs/usual/config.json") + " --run usual_too" + short_run).code == 0);
  CHECK(text_of(at("runs/usual_too/model.safetensors")) == text_of(at("runs/usual/model.safetensors")));
  // Neither is asked for: the file's.
  REQUIRE(run(start + "--run of_file --data " + data("depth")).code == 0);
  CHECK(spec_of("of_file").normalisation.mean[0] == 1500);
  CHECK_FALSE(options_of("of_file").contains("outputs"));
  CHECK(run("train --resume --run of_file --set train.outputs=[]" + short_run).code == 0);
  // The same network of another meaning, by a key that its file leaves out or has alone.
  network["meaning"].erase("bit_depth");
  network["meaning"]["normalisation"] = {{"mean", {128.0}}, {"scale", {0.00390625}}};
  std::ofstream(at("eight_bits.json")) << network.dump();
  check_refused("train " + at("eight_bits.json") + " --resume --run of_file" + short_run, 2,
                "network.meaning.normalisation: expected {\"mean\":[1500.0],\"scale\":[0.001]}, as the run has");
  network["meaning"]["normalisation"] = {{"mean", {1500.0}}, {"scale", {0.001}}};
  std::ofstream(at("eight_bits.json")) << network.dump();
  check_refused("train " + at("eight_bits.json") + " --resume --run of_file" + short_run, 2,
                "network.meaning.bit_depth: expected 16, as the run has, got 8");
}

TEST_CASE("grey: 8-bit pictures are refused by a 16-bit model, in train, evaluate and estimate") {
  const std::string message =
      "expected samples of 16 bits, as the model's input has (bit_depth), got samples of 8; "
      "give 16-bit PNG files, or train a model of bit_depth 8";
  check_refused(train("bits", "grey", depth_settings), 3, message);
  CHECK_FALSE(std::filesystem::exists(at("runs/bits")));
  check_refused("evaluate --model " + depth_model() + " --data " + data("rgb"), 3, message);
  check_refused("estimate --model " + depth_model() + " " + at("grey/images/p0.png"), 3, "p0.png: " + message);
  check_refused("estimate --model " + depth_model() + " - <" + at("grey/images/p0.png"), 3,
                "standard input: " + message);
}

TEST_CASE("grey: a grey model says the same of grey pictures and of RGB pictures of that grey, from file to pose") {
  for (const char* kind : {"grey", "rgb"}) {
    const Outcome trained = run(train(kind, kind, "--set model.colour_order=grey"));
    INFO(trained.err);
    REQUIRE(trained.code == 0);
  }
  CHECK(text_of(at("runs/grey/model.safetensors")) == text_of(at("runs/rgb/model.safetensors")));
  const auto maps = [&](const std::string& kind) {
    const Outcome outcome = run("estimate --model " + at("runs/grey/model.safetensors") + " --heatmaps " +
                                at(kind + ".npy") + " " + at(kind + "/images/p1.png"));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return text_of(at(kind + ".npy"));
  };
  CHECK(maps("grey") == maps("rgb"));
  // As today: 16-bit files for 8-bit models, and grey ones for RGB models.
  CHECK(run("estimate --model " + at("runs/grey/model.safetensors") + " " + at("depth/images/p1.png")).code == 0);
  CHECK(run("estimate " + at("grey/images/p1.png")).code == 0);
}

TEST_CASE("grey: overlays, panels and labels on 16-bit pictures show what is in them") {
  const std::string file = at("depth/images/p2.png");
  const Outcome outcome = run("estimate --model " + depth_model() + " --threshold 1 --overlay " + at("overlay.png") +
                              " --panel " + at("panel.png") + " " + file);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const pm::Image shown = pm::displayable(pm::read_image<pm::DepthImage>(file));
  CHECK(pm::read_image(at("overlay.png")).pixels == shown.pixels);  // no joint scores 1
  const pm::Image panel = pm::read_image(at("panel.png"));
  CHECK(std::count_if(panel.pixels.begin(), panel.pixels.end(), [](int value) { return value > 128; }) > 1000);

  REQUIRE(run("dataset show --count 1 --data " + data("depth") + " -o " + at("labels")).code == 0);
  const pm::Image labels = pm::read_image(at("labels/0001_p0.png"));
  CHECK(*std::max_element(labels.pixels.begin(), labels.pixels.end()) == 255);
  CHECK(run("dataset check --data " + data("depth")).out.find("nothing found") != std::string::npos);
  CHECK(run("dataset stats --data " + data("depth")).out.find("8 images are of 16 bits") != std::string::npos);
}

TEST_CASE("grey: a network file says its channels itself, and options that do not fit are refused by name") {
  const std::string layers = R"("layers": [{"Input": {"name": "image", "channels": 1}}, {"Conv": {"out": 3, "kernel": 3,
      "stride": 4}}, {"Output": "heatmaps"}]})";
  std::ofstream(at("depth.json")) << R"({"network": "own", "meaning": {"bit_depth": 16, "joint_set": {"name": "two",
      "joints": ["left", "right"], "pairs": [["left", "right"]], "limbs": [], "groups": [], "sticks": []}}, )"
                                  << layers;
  const auto own = [](const std::string& name, const std::string& rest) {
    std::string arguments = train(name, "depth", rest);
    return arguments.replace(arguments.find("scaling-dilation-small"), 22, at("depth.json"));
  };
  const Outcome trained = run(own("own", ""));
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK(pm::Model::load(at("runs/own/model.safetensors")).spec().bit_depth == 16);
  check_refused(
      own("no", "--set model.bit_depth=8 --set model.colour_order=rgb"), 2,
      "model.colour_order: expected an order of 1 channel, as the network's input has, got rgb; say \"channels\": 3");
  check_refused(train("no", "rgb", "--set model.bit_depth=16"), 2,
                "model.bit_depth: expected 8 for colours, got 16; 16 bits go with the colour_order grey");
  check_refused(train("no", "rgb", "--set model.colour_order=gray"), 2, "did you mean \"grey\"?");
  check_refused(train("no", "grey", "--set model.colour_order=grey --set model.bit_depth=12"), 2, "expected 8 or 16");
  check_refused(train("no", "grey", "--set model.colour_order=grey --set model.mean=[1,2,3]"), 2,
                "model.mean: expected a number, or a list of 1, got [1,2,3]");
  check_refused(train("no", "grey", "--set model.scale=0"), 2, "model.scale");
}

}  // namespace grey_test
