// posemachine train as users have it: the built program trains on a data set made here, is stopped, and goes on.
#include "small_sets.hpp"
#include "tool/program.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/named_network.hpp>
#include <posemachine/model/network_json.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/train_kinds.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace train_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using tool_test::json_of;
using tool_test::Outcome;
using tool_test::program;
using tool_test::text_of;

namespace {

std::string at(const std::string& name) { return (tool_test::SmallSets::instance() / name).string(); }

Outcome run(const std::string& arguments) {
  return tool_test::run_program(arguments, tool_test::SmallSets::instance().path());
}

// 11 people in batches of 4: 2 steps an epoch.
const std::string small =
    " --set model.input_height=32 --set model.input_width=32 --set train.batch=4 --set train.slice=2 --set "
    "train.epochs=2"
    " --set train.warmup_steps=1 --set train.checkpoint_steps=1 ";
std::string sets() {
  return " --data lsp:" + at("lsp") + ":1:6 --data lspet:" + at("lspet") + " --validation lsp:" + at("lsp") +
         ":901:902 ";
}
std::string runs() { return " --runs " + at("runs") + " "; }
std::string start(const std::string& name) {
  return "train scaling-dilation-small --run " + name + runs() + sets() + small;
}

void check_refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(arguments, tool_test::SmallSets::instance().path(), code, message);
}

}  // namespace

TEST_CASE("train: a run leaves its configuration, metrics, checkpoints and model, and says so on stdout") {
  const Outcome outcome = run(start("whole") + "--json");
  const pm::Json json = json_of(outcome);
  CHECK(json["run"] == at("runs/whole"));
  CHECK(json["network"] == "scaling-dilation-small");
  CHECK(json["epochs"] == 2);
  CHECK(json["steps"] == 4);
  CHECK(json["losses"].size() == 3);
  CHECK(json["validation"].contains("pck"));
  CHECK(json["best"].contains("epoch"));
  CHECK(outcome.err.find("11 people to train on, 2 for validation") != std::string::npos);
  CHECK(outcome.err.find("epoch 2 of 2 done") != std::string::npos);
  CHECK(outcome.err.find('\r') == std::string::npos);  // no terminal, no changing line

  const pm::Model model = pm::Model::load(json["model"].get<std::string>());
  CHECK(model.spec().input_height == 32);
  CHECK(model.spec().decoder.flip_average);
  CHECK(model.spec().crop.image_scale == 1.0);
  CHECK(pm::Model::load(json["best"]["model"].get<std::string>()).network() == "scaling-dilation-small");
  const pm::Json config = pm::parse_json(text_of(at("runs/whole/config.json")), "config.json");
  CHECK(config["network"] == "scaling-dilation-small");
  CHECK(config["data"] == pm::Json({"lsp:" + at("lsp") + ":1:6", "lspet:" + at("lspet")}));
  CHECK(config["model"]["sigma_px"] == 7);
  CHECK(config["train"]["batch"] == 4);
  CHECK(config["train"]["optimizer"] == "adamw");
  CHECK_FALSE(config.contains("labels"));

  int event_files = 0;
  for (const auto& entry : fs::directory_iterator(at("runs/whole"))) {
    event_files += entry.path().filename().string().starts_with("events.out.tfevents.") ? 1 : 0;
  }
  CHECK(event_files == 1);
  for (const char* picture : {"person-1.png", "person-2-stage-3.png"}) {
    CHECK(fs::exists(at("runs/whole/pictures/" + std::string(picture))));
  }

  check_refused(start("whole"), 2, "a folder that exists");
  const pm::Json again = json_of(run("train --run whole --resume --json" + runs()));  // it is finished already
  CHECK(again["losses"] == json["losses"]);
  CHECK(again["best"] == json["best"]);

  // A run's own config.json starts an equal run.
  REQUIRE(run("train --run copy --config " + at("runs/whole/config.json") + runs()).code == 0);
  CHECK(text_of(at("runs/copy/config.json")) == text_of(at("runs/whole/config.json")));
  CHECK(text_of(at("runs/copy/model.safetensors")) == text_of(at("runs/whole/model.safetensors")));
}

TEST_CASE("train: outputs besides the heatmaps are trained by the library's roles, decoded and written") {
  const std::string network =
      (test_environment::source_dir() / "examples/networks/scaling_dilation_fine_fields.json").string();
  REQUIRE(run("train " + network + " --run fields" + runs() + sets() + small).code == 0);
  std::ifstream metrics(at("runs/fields/metrics.jsonl"));
  std::string line;
  REQUIRE(std::getline(metrics, line));
  const pm::Json losses = pm::parse_json(line, "metrics")["output_losses"];
  CHECK(losses["limb_fields"].get<double>() > 0);
  CHECK(losses["joint_offsets"].get<double>() > 0);

  const std::string photo = at("lsp") + "/images/im0001.jpg", model = at("runs/fields/model.safetensors");
  const Outcome outcome =
      run("estimate --model " + model + " " + photo + " --json --output-maps " + at("maps") + " --quiet");
  const pm::Json outputs = json_of(outcome)["poses"][0]["outputs"];
  CHECK(outputs["limb_fields"]["decoder"] == "limb_scores");
  CHECK(outputs["limb_fields"]["numbers"].size() == 14);
  CHECK(outputs["limb_fields"]["numbers"].contains("neck-head_top"));
  CHECK(outputs["joint_offsets"]["keypoints"].size() == 14);
  CHECK(outputs["joint_offsets"]["keypoints"][13]["name"] == "head_top");
  for (const char* name : {"limb_fields", "joint_offsets"}) {
    const std::string npy = text_of(at("maps/im0001." + std::string(name) + ".npy"));
    CHECK(npy.find("(28, 8, 8)") != std::string::npos);
  }
  // Boxes, threads and other joints keep them.
  const pm::Json two = json_of(run("estimate --model " + model + " " + photo +
                                   " --json --quiet --joints coco --box 0,0,50,60 --box 5,5,40,40 --threads 2"));
  REQUIRE(two["poses"].size() == 2);
  CHECK(two["poses"][1]["outputs"]["joint_offsets"]["keypoints"][13]["name"] == "head_top");
  CHECK(run("evaluate --model " + model + " --data lsp:" + at("lsp") + ":901:902").code == 0);
  CHECK(run("train --help").out.find("limb_fields") != std::string::npos);
  check_refused("estimate --model " + model + " " + photo + " --output-maps -", 2, "--output-maps: expected a folder");
  check_refused("estimate --model " + at("runs/whole/model.safetensors") + " " + photo + " --output-maps " + at("maps"),
                2, "expected a model with outputs besides the heatmaps");

  const pm::Json description = pm::read_network_json(network);
  pm::Json narrow = description;
  narrow["constants"]["limb_maps"] = 26;
  std::ofstream(at("narrow.json")) << narrow.dump();
  check_refused("train " + at("narrow.json") + " --run narrow" + runs() + sets() + small, 2,
                "the output limb_fields: expected 28 channels for its role limb_fields and the joint set lsp, got 26");
}

TEST_CASE("train: the recipes of the examples are configurations that can be") {
  const fs::path examples = test_environment::source_dir() / "examples";
  int recipes = 0;
  for (const fs::directory_entry& recipe : fs::directory_iterator(examples / "recipes")) {
    check_refused("train " + (examples / "models/scaling-dilation-fine-48.json").string() + " --config " +
                      recipe.path().string() + " --run bad" + runs() + " --data lsp:nowhere",
                  3, "nowhere: expected joints.mat here");
    ++recipes;
  }
  CHECK(recipes >= 1);
}

TEST_CASE("train: photographs that vanish end no run, and with --allow-missing it is resumed without them") {
  fs::create_directories(at("gone"));
  fs::copy(at("lspet"), at("gone/lspet"), fs::copy_options::recursive);
  const std::string data = " --data lspet:" + at("gone/lspet") + " --validation 0.2 ";
  const std::string vanishing = "train scaling-dilation-small --run vanishing" + runs() + data + small;
  REQUIRE(run(vanishing + "--set train.epochs=1").code == 0);
  // As if it had been stopped after its first epoch.
  const std::string last = at("runs/vanishing/ckpt/last.safetensors");
  pm::Checkpoint stopped = pm::load_checkpoint(last);
  stopped.options.epochs = 2;
  pm::save_checkpoint(stopped, last);
  pm::Json config = pm::parse_json(text_of(at("runs/vanishing/config.json")), "config.json");
  config["train"]["epochs"] = 2;
  std::ofstream(at("runs/vanishing/config.json")) << config.dump();
  fs::remove(at("gone/lspet/images/im00003.jpg"));
  const std::string resume = "train --resume --run vanishing" + runs();
  check_refused(resume, 3, "allow missing images (--allow-missing)");
  const Outcome resumed = run(resume + "--allow-missing --json");
  const pm::Json json = json_of(resumed);
  CHECK(json["epochs"] == 2);
  REQUIRE(json["left_out_images"].size() == 1);
  CHECK(json["left_out_images"][0]["image"] == at("gone/lspet/images/im00003.jpg"));
  CHECK(json["left_out_images"][0]["problem"] == at("gone/lspet/images/im00003.jpg") + ": absent");
  CHECK(resumed.err.find("left out: 1 of 5 people, whose images are absent: 1") != std::string::npos);
  CHECK(resumed.err.find("1 of 5 photographs are damaged or absent") != std::string::npos);
  CHECK(resumed.err.find("photographs that could not be used: 1") != std::string::npos);
  // A run of its own, too.
  const Outcome anew = run("train scaling-dilation-small --run anew" + runs() + data + small + "--allow-missing");
  INFO(anew.err);
  CHECK(anew.code == 0);
  CHECK(anew.err.find("4 people to train on, 1 for validation") != std::string::npos);
}

TEST_CASE("train: arguments and configurations that cannot be are refused by name, and leave no run behind") {
  const std::string net = "train scaling-dilation-small --run bad" + runs();
  check_refused("train --run bad" + runs() + sets(), 2,
                "network: expected a network file NET.json or one of scaling-dilation, scaling-dilation-small");
  check_refused("train scaling-dilatoin --run bad" + runs() + sets(), 2, "did you mean \"scaling-dilation\"?");
  check_refused("train scaling-dilation-small" + sets(), 2, "--run");
  check_refused("train scaling-dilation-small --run a/b" + sets(), 2, "a name without /");
  check_refused(net, 2, "give --data KIND:PATH");
  check_refused(net + "--data voc:" + at("lsp"), 2, "expected one of lsp:DIR[:PART]");
  check_refused(net + "--data lsp:" + at("nowhere"), 3, "nowhere");
  // Absent, and not allowed to be.
  check_refused(net + "--data lsp:" + at("lsp"), 3, "im0007.jpg: expected all images of 1:900, got 894 missing");
  check_refused(net + "--data lsp:" + at("lsp") + ":7:9 --allow-missing", 3, "im0007.jpg: expected images of 7:9");
  {
    // LSP's parts; then refused, so that nobody waits for 900 people.
    const Outcome parts = run(net + "--data lsp:" + at("lsp") + " --allow-missing --set model.colour_order=grey" +
                              " --set model.bit_depth=16");
    CHECK(parts.code == 3);
    CHECK(parts.err.find("900 people to train on, 100 for validation") != std::string::npos);
    CHECK(parts.err.find("left out: 992 of 1000 people, whose images are absent: 992, " + at("lsp/images/im0007.jpg") +
                         " first") != std::string::npos);
  }
  check_refused(net + sets() + "--set train.epoch=3", 2, "did you mean \"train.epochs\"?");
  check_refused(net + sets() + "--set epochs=3", 2, "did you mean \"train.epochs\"?");
  check_refused(net + sets() + "--set train.epochs", 2, "KEY=VALUE");
  check_refused(net + sets() + "--set train.epochs=0", 2, "train.epochs: expected an integer from 1");
  check_refused(net + sets() + "--set train.optimizer=adam", 2, "did you mean \"adamw\"?");
  check_refused(net + sets() + "--set model.input_height=100", 2, "multiples of 8");
  check_refused(net + sets() + "--flip-test maybe", 2, "flip-test");
  check_refused(net + sets() + "--config " + at("absent.json"), 2, "absent.json");
  std::ofstream(at("config.json")) << "{ // a comment\n \"train\": {\"epochz\": 3} }";
  check_refused(net + sets() + "--config " + at("config.json"), 2, "config.json.train.epochz");
  std::ofstream(at("config.json")) << "{ \"train\": [] }";
  check_refused(net + sets() + "--config " + at("config.json"), 2, "config.json.train: expected an object");
  check_refused(net + sets() + "--resume", 2, "start it without --resume");
  CHECK_FALSE(fs::exists(at("runs/bad")));
}

TEST_CASE("train: --help lists every loss, optimiser, schedule and decoder") {
  const std::string help = run("train --help").out;
  const auto lists = [&](const std::string& key, const std::vector<std::string>& names) {
    const std::size_t begin = help.find("\n" + key + ":\n");
    REQUIRE(begin != std::string::npos);
    for (const std::string& name : names) {
      INFO(name);
      CHECK(help.find("\n  " + name + " ", begin) != std::string::npos);
    }
  };
  const pm::TrainKinds kinds;
  lists("train.loss", kinds.losses.names());
  lists("train.optimizer", kinds.optimizers.names());
  lists("train.schedule", kinds.schedules.names());
  lists("model.decoder", kinds.decoders.names());
}

TEST_CASE("train: later words win: the file over defaults, --set over the file, arguments over both") {
  std::ofstream(at("layers.json")) << "{\n  // comments are welcome\n  \"network\": \"scaling-dilation\",\n"
                                      "  \"model\": {\"flip_average\": true, \"sigma_px\": 6},\n"
                                      "  \"train\": {\"rate\": 0.5, \"seed\": 9, \"optimizer\": \"sgd\"}\n}";
  REQUIRE(run(start("layers") + "--config " + at("layers.json") + " --set train.rate=0 --flip-test off --quiet").code ==
          0);
  const pm::Json config = pm::parse_json(text_of(at("runs/layers/config.json")), "config.json");
  CHECK(config["network"] == "scaling-dilation-small");
  CHECK(config["model"]["flip_average"] == false);
  CHECK(config["model"]["sigma_px"] == 6);
  CHECK(config["train"]["rate"] == 0);
  CHECK(config["train"]["seed"] == 9);
  CHECK(config["train"]["optimizer"] == "sgd");
  CHECK(config["train"]["beta1"] == 0.9);
}

TEST_CASE("train: a decoder goes by quarter_offset or by name; a run keeps its own however it is asked for again") {
  const std::string short_of_all = "--quiet --set train.epochs=1 --set train.log_steps=0 --set train.rate=0 ";
  const auto kind = [](const std::string& name) {
    return pm::Model::load(at("runs/" + name + "/model.safetensors")).spec().decoder.kind;
  };
  const auto options = [](const std::string& name) {
    return pm::parse_json(text_of(at("runs/" + name + "/config.json")), "config.json")["model"];
  };
  REQUIRE(run(start("plain") + short_of_all + "--set model.decoder=arg_max").code == 0);
  CHECK(kind("plain") == "arg_max");
  CHECK(options("plain")["quarter_offset"] == false);  // as a run of any version has it
  CHECK_FALSE(options("plain").contains("decoder"));
  REQUIRE(run(start("taylor") + short_of_all + "--set model.quarter_offset=false --set model.decoder=taylor").code ==
          0);  // the later word wins
  CHECK(kind("taylor") == "taylor");
  CHECK(options("taylor")["decoder"] == "taylor");
  CHECK_FALSE(options("taylor").contains("quarter_offset"));
  REQUIRE(run(start("again") + short_of_all + "--config " + at("runs/taylor/config.json")).code == 0);
  CHECK(kind("again") == "taylor");
  REQUIRE(run(start("back") + short_of_all + "--config " + at("runs/taylor/config.json") +
              " --set model.quarter_offset=true")
              .code == 0);
  CHECK(kind("back") == "quarter_offset");

  const std::string plain = "train --resume --run plain" + runs(), taylor = "train --resume --run taylor" + runs();
  CHECK(run(plain).code == 0);
  CHECK(run(plain + "--set model.quarter_offset=false").code == 0);
  CHECK(run(plain + "--set model.decoder=arg_max").code == 0);
  CHECK(run(taylor + "--set model.decoder=taylor").code == 0);
  CHECK(text_of(at("runs/taylor/config.json")) == text_of(at("runs/again/config.json")));
  check_refused(plain + "--set model.decoder=taylor", 2,
                "--resume: model.decoder: expected arg_max, as the run has, got taylor");
  check_refused(plain + "--set model.quarter_offset=true", 2, "model.decoder: expected arg_max, as the run has");
  check_refused(taylor + "--set model.quarter_offset=true", 2, "model.decoder: expected taylor, as the run has");

  std::string changed = text_of(at("runs/taylor/config.json"));
  changed.replace(changed.find("\"taylor\""), 8, "\"local_mean\"");
  std::ofstream(at("runs/taylor/config.json")) << changed;
  check_refused(taylor, 2, "model.decoder: expected \"taylor\", as in the run's checkpoint, got \"local_mean\"");
  check_refused(start("none") + "--set model.decoder=tailor", 2,
                "model.decoder: expected one of arg_max, quarter_offset, taylor, local_mean");
  std::ofstream(at("both.json")) << R"({"model": {"decoder": "taylor", "quarter_offset": true}})";
  check_refused(start("none") + "--config " + at("both.json"), 2,
                "expected one decoder, got decoder taylor and quarter_offset true");
  CHECK_FALSE(fs::exists(at("runs/none")));
}

TEST_CASE("train: SIGINT, SIGTERM and SIGUSR1 save and end with 128 + their number; resumed, the bytes are the same") {
  // 5 steps an epoch, few of them saved: long enough to be stopped, short enough for a test.
  const std::string steady =
      " --set train.epochs=12 --set train.validate_epochs=12 --set train.batch=2 --set train.checkpoint_steps=1000 ";
  REQUIRE(run(start("steady") + steady).code == 0);
  const pm::Checkpoint whole = pm::load_checkpoint(at("runs/steady/ckpt/last.safetensors"));
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
    const std::string name = "stopped" + std::to_string(number);
    const fs::path last = at("runs/" + name + "/ckpt/last.safetensors");
    const std::string command =
        "exec '" + program() + "' " + start(name) + steady + " >'" + at("out") + "' 2>'" + at("err") + "'";
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    int status = 0;
    pid_t ended = 0;
    while (ended == 0 && !fs::exists(last)) {  // the first checkpoint: training has begun
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ended = ::waitpid(child, &status, WNOHANG);
    }
    if (ended == 0) {
      ::kill(child, number);
      ::waitpid(child, &status, 0);
    }
    REQUIRE(WIFEXITED(status));
    INFO(text_of(at("err")));
    CHECK(WEXITSTATUS(status) == 128 + number);
    CHECK(text_of(at("out")).empty());
    CHECK(text_of(at("err")).find("--resume") != std::string::npos);
    CHECK(pm::load_checkpoint(last).step < 60);

    const std::string resume = "train --run " + name + runs() + "--resume ";
    check_refused(resume + "--set train.rate=1", 2, "--resume: train.rate: expected 0.002, as the run has, got 1");
    check_refused(resume + "--set train.seed=5", 2, "train.seed");
    check_refused(resume + "--data lsp:" + at("lsp"), 2, "expected lsp, lspet, as the run has, got lsp");
    check_refused(resume + "--flip-test off", 2, "model.flip_average");
    check_refused("train scaling-dilation --run " + name + runs() + "--resume", 2, "network");
    check_refused(resume + "--data lspet:" + at("lspet") + " --data lsp:" + at("lsp"), 2, "as the run has");
    REQUIRE(run(resume + "--set train.workers=1 --set train.cache_mb=0 --set train.rate=0.002").code ==
            0);  // speed may change, and equal is equal
    pm::Checkpoint resumed = pm::load_checkpoint(last);
    resumed.options.workers = whole.options.workers;
    CHECK(resumed.options.cache_mb == 0);
    resumed.options.cache_mb = whole.options.cache_mb;
    CHECK(pm::checkpoint_to_bytes(resumed) == pm::checkpoint_to_bytes(whole));
    CHECK(text_of(at("runs/" + name + "/model.safetensors")) == text_of(at("runs/steady/model.safetensors")));
  }
}

TEST_CASE("train: the arguments a run was started with may be given again, and others may not") {
  const std::string options =
      "--set train.log_steps=0 --set train.epochs=1 --set 'train.groups=[{\"weight_decay\": 0, "
      "\"match\": \"*.bias\"}]' --set train.slice=0 ";
  const std::string whole = start("repeated") + options;
  REQUIRE(run(whole).code == 0);
  CHECK(run(whole + "--resume").code == 0);
  const std::string again = "train --run repeated --resume" + runs();
  const Outcome outcome = run(again + options);
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  check_refused(again + "--set 'train.groups=[{\"match\": \"*.bias\"}]'", 2, "--resume: train.groups");
  check_refused(again + "--set train.slice=1", 2, "--resume: train.slice");
}

TEST_CASE(
    "train: --init begins with what fits of a model or checkpoint, says what does not, and is kept with the run") {
  const std::string quiet = "--set train.log_steps=0 --set train.epochs=1 ";
  REQUIRE(run(start("source") + quiet + "--set train.average_decay=0.9").code == 0);
  const std::string still = quiet + "--set train.rate=0 --set train.weight_decay=0 ";  // the weights it began with
  for (const std::string file : {"model.safetensors", "ckpt/last.safetensors"}) {
    const std::string name = "begun_from_" + file.substr(0, file.find('.')).substr(file.find('/') + 1);
    const Outcome outcome = run(start(name) + still + "--init " + at("runs/source/" + file));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    const auto left = outcome.err.find("  not ");
    CHECK(left == std::string::npos);
    const pm::Model source = pm::Model::load(at("runs/source/model.safetensors"));  // averaged, as the checkpoint's is
    const pm::Model begun = pm::Model::load(at("runs/" + name + "/model.safetensors"));
    for (std::size_t id = 0; id < source.parameters().size(); ++id) {
      if (!source.graph().parameters[id].trainable) continue;  // batch norm's statistics move all the same
      CHECK(begun.parameters()[id].values == source.parameters()[id].values);
    }
    CHECK(text_of(at("runs/" + name + "/config.json")).find(at("runs/source/" + file)) != std::string::npos);
    CHECK(run("train --run " + name + " --resume" + runs() + "--init " + at("runs/source/" + file)).code == 0);
    check_refused("train --run " + name + " --resume" + runs() + "--init " + at("other.safetensors"), 2,
                  "--resume: init");
  }
  const Outcome partly = run("train scaling-dilation --run partly" + runs() + sets() + small + still + "--init " +
                             at("runs/source/model.safetensors"));
  CHECK(partly.code == 0);
  CHECK(partly.err.find(" tensors taken") != std::string::npos);
  CHECK(partly.err.find("of shape") != std::string::npos);
  check_refused(start("none") + "--init " + at("absent.safetensors"), 4, "absent.safetensors");
  check_refused("train cpm-3 --run none" + runs() + sets() + "--init " + at("runs/source/model.safetensors"), 2,
                "expected at least one tensor");
  CHECK_FALSE(fs::exists(at("runs/none")));
}

namespace {

// 14 joints of so many images, on a line across the photograph; joint j has third[j % third.size()].
void write_labels(const std::string& name, const char* array, std::size_t images, std::vector<double> third) {
  std::vector<double> values;
  for (std::size_t image = 0; image < images; ++image) {
    for (std::size_t j = 0; j < 14; ++j) values.push_back(3 + 3 * double(j) + double(image % 5));
    for (std::size_t j = 0; j < 14; ++j) values.push_back(50 - 3 * double(j));
    for (std::size_t j = 0; j < 14; ++j) values.push_back(third[j % third.size()]);
  }
  tool_test::write_array(at(name), array, {14, 3, images}, std::move(values));
}

bool same_files(const std::string& a, const std::string& b, const std::string& file) {
  return text_of(at("runs/" + a + "/" + file)) == text_of(at("runs/" + b + "/" + file));
}

}  // namespace

TEST_CASE("train: --labels replaces the joints that are trained on, with weights, and stands in config.json") {
  const std::string quiet = "--set train.log_steps=0 ";
  REQUIRE(run(start("unlabelled") + quiet).code == 0);
  // LSPET's own file is a labels file: its flags are weights of 0 and 1.
  const std::string own = fs::relative(at("lspet/joints.mat")).string();
  const Outcome same = run(start("own") + quiet + "--labels lspet:" + own);
  INFO(same.err);
  REQUIRE(same.code == 0);
  CHECK(same.err.find("labels of lspet: " + at("lspet/joints.mat") +
                      ": joints; of their joints 71.4 % weigh 1, 0.0 % less and 28.6 % nothing") != std::string::npos);
  CHECK(same_files("own", "unlabelled", "model.safetensors"));
  CHECK(same_files("own", "unlabelled", "ckpt/last.safetensors"));
  const pm::Json config = pm::parse_json(text_of(at("runs/own/config.json")), "config.json");
  CHECK(config["labels"] == pm::Json({"lspet:" + at("lspet/joints.mat") + ":joints"}));

  // LSP's file ends with the people who are trained on: validation has its own joints.
  write_labels("lsp_labels.mat", "suggested", 900, {1, 0.5, 0});
  write_labels("lspet_labels.mat", "suggested", 5, {1, 0.5, 0});
  const std::string both =
      "--labels lspet:" + at("lspet_labels.mat") + ":suggested --labels lsp:" + at("lsp_labels.mat") + ":suggested ";
  const Outcome other = run(start("other") + quiet + both);
  INFO(other.err);
  REQUIRE(other.code == 0);
  CHECK(other.err.find("suggested; of their joints 35.7 % weigh 1, 35.7 % less and 28.6 % nothing") !=
        std::string::npos);
  CHECK_FALSE(same_files("other", "unlabelled", "model.safetensors"));
  const pm::Json kept = pm::parse_json(text_of(at("runs/other/config.json")), "config.json");
  CHECK(kept["labels"] ==
        pm::Json({"lsp:" + at("lsp_labels.mat") + ":suggested", "lspet:" + at("lspet_labels.mat") + ":suggested"}));

  // A run's config.json starts an equal run, as does --set.
  REQUIRE(run("train --run other_too --config " + at("runs/other/config.json") + runs()).code == 0);
  CHECK(same_files("other_too", "other", "config.json"));
  CHECK(same_files("other_too", "other", "model.safetensors"));
  REQUIRE(run(start("set") + quiet + "--set 'labels=" + kept["labels"].dump() + "'").code == 0);
  CHECK(same_files("set", "other", "ckpt/last.safetensors"));

  // A threshold makes 0 and 1 of them.
  const std::string at_half = "--labels lsp:" + at("lsp_labels.mat") + ":suggested:score=0.5 ";
  const Outcome scored = run(start("scored") + quiet + at_half);
  CHECK(scored.err.find("71.4 % weigh 1, 0.0 % less and 28.6 % nothing") != std::string::npos);
  const pm::Json threshold = pm::parse_json(text_of(at("runs/scored/config.json")), "config.json");
  CHECK(threshold["labels"] == pm::Json({"lsp:" + at("lsp_labels.mat") + ":suggested:score=0.5"}));
}

TEST_CASE("train: a run with labels goes on with them, wherever they lie, and with no others") {
  write_labels("before.mat", "joints", 5, {1, 0.25, 0});
  write_labels("changed.mat", "joints", 5, {1, 0.5, 0});
  const std::string options =
      " --set train.log_steps=0 --set train.keep_checkpoints=5 --labels lspet:" + at("before.mat");
  REQUIRE(run(start("labelled") + options).code == 0);
  const std::string whole = text_of(at("runs/labelled/ckpt/last.safetensors"));
  const auto back_to_first_epoch = [] {  // of two steps
    fs::copy_file(at("runs/labelled/ckpt/step-00000002.safetensors"), at("runs/labelled/ckpt/last.safetensors"),
                  fs::copy_options::overwrite_existing);
  };
  const std::string resume = "train --run labelled --resume" + runs();
  back_to_first_epoch();
  REQUIRE(run(resume).code == 0);
  CHECK(text_of(at("runs/labelled/ckpt/last.safetensors")) == whole);
  back_to_first_epoch();
  REQUIRE(run(start("labelled") + options + " --resume").code == 0);  // all given again
  CHECK(text_of(at("runs/labelled/ckpt/last.safetensors")) == whole);

  back_to_first_epoch();
  fs::rename(at("before.mat"), at("moved.mat"));
  check_refused(resume, 3, "before.mat: expected a MATLAB v5 file, got nothing of that name");
  check_refused(resume + "--labels lspet:" + at("changed.mat"), 2,
                "training set: expected the people that the run was started with");
  check_refused(resume + "--labels lspet:" + at("moved.mat") + ":score=0.2", 2, "give the same data sets and labels");
  check_refused(resume + "--labels lsp:" + at("moved.mat"), 2,
                "--resume: labels: expected lspet, as the run has, got lsp");
  check_refused(resume + "--set labels=[]", 2, "--resume: labels: expected lspet, as the run has, got none");
  REQUIRE(run(resume + "--labels lspet:" + at("moved.mat")).code == 0);
  CHECK(text_of(at("runs/labelled/ckpt/last.safetensors")) == whole);

  REQUIRE(run(start("bare") + "--set train.log_steps=0").code == 0);
  check_refused("train --run bare --resume" + runs() + "--labels lspet:" + at("moved.mat"), 2,
                "--resume: labels: expected none, as the run has, got lspet");
}

TEST_CASE("train: labels that cannot be used are refused by file and field, and leave no run behind") {
  const std::string net = "train scaling-dilation-small --run bad_labels" + runs() + small;
  const auto refused = [&](const std::string& labels, int code, const std::string& message) {
    check_refused(net + sets() + "--labels " + labels, code, message);
  };
  const std::string form = "labels: expected KIND:FILE.mat[:NAME][:score=T], KIND lsp or lspet, T from 0 to 1, got ";
  write_labels("good.mat", "joints", 5, {1});
  for (const std::string wrong : {"good.mat", "lsp:good", "lsp:", "lsp:good.mat:", "lspet:good.mat:joints:score=",
                                  "lspet:good.mat:score=1.5", "lspet:good.mat:score=half", "mpii:good.mat"}) {
    refused(wrong, 2, form + "\"" + wrong + "\"");
  }
  refused("lspt:good.mat", 2, "did you mean \"lsp\"?");
  refused("lspet:" + at("good.mat") + " --labels lspet:" + at("good.mat"), 2,
          "configuration.labels[1]: expected labels of each kind once, got lspet a second time");
  check_refused(net + "--data lsp:" + at("lsp") + " --allow-missing --labels lspet:" + at("good.mat"), 2,
                "configuration.labels[0]: expected labels of a data set that is trained on, got lspet, of which there "
                "is no data; give --data lspet:DIR too");
  check_refused(net + sets() + "--set labels=3", 2, "configuration.labels: expected a list of KIND:FILE.mat");
  check_refused(net + sets() + "--set labels=[3]", 2, "configuration.labels[0]: expected a string, got number");
  refused("lspet:" + at("absent.mat"), 3, "absent.mat: expected a MATLAB v5 file, got nothing of that name");
  refused("lspet:" + at("good.mat") + ":thunder", 3,
          "good.mat: thunder: expected a real array of numbers with 3 dimensions, got no variable of that name; "
          "the file has joints");
  refused("lsp:" + at("lsp/joints.mat"), 3, "joints.mat: joints: expected 14 x 3 x images, got 3 x 14 x 1000");
  refused("lsp:" + at("good.mat"), 3, "good.mat: joints: expected labels for image 6 of lsp, got 5 images");
  write_labels("many.mat", "joints", 6, {1});
  refused("lspet:" + at("many.mat"), 3,
          "many.mat: joints: expected at most 5 images, as the data set has, got 6; are these the labels of another");
  write_labels("heavy.mat", "joints", 5, {1, 1.5});
  refused("lspet:" + at("heavy.mat"), 3, "heavy.mat: joints, image 1, joint 2: expected a weight of 0 to 1, got 1.5");
  CHECK_FALSE(fs::exists(at("runs/bad_labels")));
}

TEST_CASE("train: a rate that blows up ends with 1, names the step and keeps a checkpoint that can be read") {
  const Outcome outcome = run(start("blown") + "--set train.optimizer=sgd --set train.rate=100 --set train.epochs=40");
  CHECK(outcome.code == 1);
  CHECK(outcome.out.empty());
  CHECK(outcome.err.find("training, step ") != std::string::npos);
  CHECK(outcome.err.find("not finite") != std::string::npos);
  CHECK(pm::load_checkpoint(at("runs/blown/ckpt/last.safetensors")).step < 80);
}

TEST_CASE("train: a disk that takes no more ends with 1, names the file, and leaves what was there") {
  REQUIRE(run(start("full") + "--set train.epochs=1").code == 0);
  const std::string model = text_of(at("runs/full/model.safetensors"));
  const std::string last = text_of(at("runs/full/ckpt/last.safetensors"));
  // Files may have 500 blocks of 512 bytes: writing more fails, as on a full disk.
  const auto limited = [](const std::string& arguments) {
    const fs::path& folder = tool_test::SmallSets::instance().path();
    const std::string command = "trap '' XFSZ; ulimit -f 500; " + tool_test::command_line(arguments, folder);
    return tool_test::outcome_of(std::system(command.c_str()), folder);
  };
  const Outcome resumed = limited("train --run full --resume" + runs());
  CHECK(resumed.code == 1);
  CHECK(resumed.err.find("model.safetensors") != std::string::npos);
  CHECK(text_of(at("runs/full/model.safetensors")) == model);
  CHECK(text_of(at("runs/full/ckpt/last.safetensors")) == last);
  const Outcome begun = limited(start("too_full"));
  CHECK(begun.code == 1);
  CHECK(begun.err.find("last.safetensors") != std::string::npos);
}

#if !defined(POSEMACHINE_MPI)
TEST_CASE("train: several processes of mpirun are refused by a program without MPI: each would be a run of its own") {
  ::setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
  check_refused(start("several"), 2, "mpirun: expected one process: this program was built without MPI, got 4");
  CHECK_FALSE(fs::exists(at("runs/several")));
  ::setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  CHECK(run(start("several")).code == 0);
  ::unsetenv("OMPI_COMM_WORLD_SIZE");
}
#endif

TEST_CASE("train: help is a result") {
  const Outcome outcome = run("train --help");
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  CHECK(outcome.out.find("--resume") != std::string::npos);
  CHECK(outcome.out.find("KIND:FILE.mat[:NAME][:score=T]") != std::string::npos);
}

namespace {

// Two stages on a trunk of its own at an eighth of the image.
const std::string hand_written = R"({
  // written by hand
  "network": "hand-written",
  "constants": {"width": 8},
  "blocks": {"Refine": [{"Conv": {"out": "width", "kernel": 3}}, "ReLU", {"Conv": {"out": 15, "kernel": 1}},
                        {"Retag": "maps"}, {"Output": "heatmaps"}],
             "Next": [{"Concat": [{"From": "features"}, {"From": "maps"}]}, {"Inline": "Refine"}]},
  "layers": [{"Input": {"name": "image", "channels": 3}}, {"Conv": {"out": 4, "kernel": 3, "stride": 2}}, "ReLU",
             {"Repeat": {"times": 2, "layers": ["PyramidStack"]}}, {"Tag": "features"}, "Refine", "Next"],
  "meaning": {"input_height": 32, "input_width": 48, "sigma_px": 5}
})";

const std::string short_run =
    " --set train.batch=4 --set train.slice=2 --set train.epochs=2 --set train.warmup_steps=1 ";

}  // namespace

TEST_CASE("train: a network file is trained without a type, its run needs the file no more, and its model runs") {
  std::ofstream(at("hand.json")) << hand_written;
  const pm::Json json = json_of(run("train " + at("hand.json") + " --json --run hand" + runs() + sets() + short_run));
  CHECK(json["network"] == "hand-written");
  CHECK(json["losses"].size() == 2);
  const pm::Model model = pm::Model::load(json["model"].get<std::string>());
  CHECK(model.network() == "hand-written");
  CHECK(pm::parameter_name(model.graph(), 0) == "Conv_1.weights");
  CHECK(model.spec().input_height == 32);
  CHECK(model.spec().input_width == 48);
  CHECK(model.spec().sigma_px == 5);
  CHECK(json_of(run("estimate --json --model " + at("runs/hand/model.safetensors") + " " + at("lsp/images/im0001.jpg")))
            .contains("poses"));

  // Maps for the joints of the data, which the file need not name; or of --joints.
  std::string arms = hand_written;
  arms.replace(arms.find("\"out\": 15"), 9, "\"out\": 4");
  std::ofstream(at("arms.json")) << arms;
  std::ofstream table(at("arms.csv"));
  table << "image,base_x,base_y,left_tip_x,left_tip_y,right_tip_x,right_tip_y\n";
  for (const char* number : {"1", "2", "3", "4"}) {
    table << at("lsp/images/im000") << number << ".jpg,20,30,10,12,34,14\n";
  }
  table.close();
  const std::string on_arms = "train " + at("arms.json") + runs() + " --data csv:" + at("arms.csv") + short_run;
  const Outcome of_arms = run(on_arms + "--run of_arms");
  INFO(of_arms.err);
  REQUIRE(of_arms.code == 0);
  CHECK(pm::Model::load(at("runs/of_arms/model.safetensors")).spec().joints.joints.size() == 3);
  CHECK(run("train --resume --run of_arms" + runs()).code == 0);
  std::ofstream(at("two.json")) << R"(["base", "left_tip"])";
  check_refused(
      on_arms + "--run wrong --joints " + at("two.json"), 2,
      "expected 3 maps, for the 2 joints of the set joints and the background, got 4; choose 3 joints (--joints)");
  check_refused(
      "train " + at("arms.json") + " --run wrong" + runs() + sets() + short_run, 2,
      "expected 15 maps, for the 14 joints of the set lsp and the background, got 4; choose 3 joints (--joints), "
      "or give its last layer 15 channels");
  std::ofstream(at("three.json")) << R"(["left_hip", "right_hip", "neck"])";
  CHECK(run("train " + at("arms.json") + " --run of_three --joints " + at("three.json") + runs() + sets() + short_run)
            .code == 0);
  check_refused("summary " + at("arms.json"), 4,
                "expected 15 maps, one per joint and the background, got 4; give the layer as many channels, or the "
                "meaning the joint_set that it is for");

  // A configuration may name the file, relative to itself; the run of it is the same.
  fs::create_directories(at("configs"));
  std::ofstream(at("configs/run.json")) << R"({"network": "../hand.json"})";
  REQUIRE(run("train --config " + at("configs/run.json") + " --run hand_too" + runs() + sets() + short_run).code == 0);
  CHECK(text_of(at("runs/hand_too/model.safetensors")) == text_of(at("runs/hand/model.safetensors")));

  // The run goes on without the file, refuses another network, and takes another form of the same one.
  fs::rename(at("hand.json"), at("moved.json"));
  CHECK(json_of(run("train --resume --json --run hand" + runs()))["losses"] == json["losses"]);
  std::ofstream(at("graph.json")) << run("summary --description " + at("moved.json")).out;
  CHECK(run("train " + at("graph.json") + " --resume --run hand" + runs()).code == 0);
  check_refused("train scaling-dilation-small --resume --run hand" + runs(), 2,
                "network: expected hand-written, as the run has, got scaling-dilation-small");
  std::string other = hand_written;
  other.replace(other.find("\"width\": 8"), 10, "\"width\": 9");
  std::ofstream(at("other.json")) << other;
  check_refused("train " + at("other.json") + " --resume --run hand" + runs(), 2,
                "another one (shape of Refine_1.Conv_1.weights: (8, 16, 3, 3) and (9, 16, 3, 3))");
  std::string meant = hand_written;
  meant.replace(meant.find("\"sigma_px\": 5"), 13, "\"sigma_px\": 6");
  std::ofstream(at("meant.json")) << meant;
  check_refused("train " + at("meant.json") + " --resume --run hand" + runs(), 2,
                "network.meaning.sigma_px: expected 5.0, as the run has, got 6.0");
  std::string unflipped = hand_written;
  unflipped.replace(unflipped.find("\"sigma_px\": 5"), 13, "\"decoder\": {\"flip_average\": false}");
  std::ofstream(at("unflipped.json")) << unflipped;
  REQUIRE(run("train " + at("unflipped.json") + " --run unflipped" + runs() + sets() + short_run).code == 0);
  CHECK_FALSE(pm::Model::load(at("runs/unflipped/model.safetensors")).spec().decoder.flip_average);
  CHECK(pm::Model::load(at("runs/hand/model.safetensors")).spec().decoder.flip_average);
  std::ofstream(at("wrong.json")) << hand_written.substr(0, hand_written.size() - 2);
  check_refused("train " + at("wrong.json") + " --run wrong" + runs() + sets(), 4, "wrong.json: expected JSON");
  check_refused("train " + at("absent.json") + " --run wrong" + runs() + sets(), 4, "absent.json");
  std::string misspelt = hand_written;
  misspelt.replace(misspelt.find("\"ReLU\""), 6, "\"Relu\"");
  std::ofstream(at("wrong.json")) << misspelt;
  check_refused("train " + at("wrong.json") + " --run wrong" + runs() + sets(), 4,
                "wrong.json.blocks.Refine[1].Relu: expected a layer, a block");
  CHECK_FALSE(fs::exists(at("runs/wrong")));
}

TEST_CASE(
    "train: a set of one's own in LSP's layout trains, a tenth of it kept back; other programs' weights begin it") {
  fs::create_directories(at("small"));
  std::vector<double> values;
  for (int i = 0; i < 6 * 14; ++i) values.insert(values.end(), {10.0 + i % 14, 5.0 + 2 * (i % 14), 0.0});
  tool_test::write_array(at("small/joints.mat"), "joints", {3, 14, 6}, values);
  fs::copy(at("lsp/images"), at("small/images"), fs::copy_options::recursive);
  // The weights of a model without what makes it one.
  pm::TensorFile file = pm::parse_safetensors(
      pm::Model::random(pm::description_of(*pm::find_network("scaling-dilation-small")), 3).to_bytes(), "m");
  file.metadata.clear();
  pm::write_file_atomically(at("foreign.safetensors"), pm::write_safetensors(file));
  const Outcome outcome = run("train scaling-dilation-small --run small --init " + at("foreign.safetensors") + runs() +
                              " --data lsp:" + at("small") + small);
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.find("5 people to train on, 1 for validation") != std::string::npos);
  CHECK(outcome.err.find("tensors taken") != std::string::npos);
  CHECK(outcome.err.find("does not say which images its weights are for") != std::string::npos);
}

TEST_CASE("train: --from goes on in another run, from a checkpoint that export made small, too") {
  const std::string settings = " --set train.schedule=constant --set train.average_decay=0.9";
  REQUIRE(run(start("origin") + settings).code == 0);
  const std::string last = at("runs/origin/ckpt/last.safetensors");
  const std::string light = at("runs/light.safetensors");
  REQUIRE(run("export --checkpoint " + light + " " + last).code == 0);
  CHECK(std::filesystem::file_size(light) < 0.6 * double(std::filesystem::file_size(last)));
  const pm::Checkpoint origin = pm::load_checkpoint(last);

  for (const std::string& from : {last, light}) {
    const std::string name = from == last ? "from-whole" : "from-light";
    const std::string more =
        " --set train.cooldown_epochs=1 --set train.epochs=" + std::to_string(origin.options.epochs + 1);
    const Outcome outcome =
        run("train scaling-dilation-small --run " + name + runs() + sets() + " --from " + from + more);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(outcome.err.find("going on after step " + std::to_string(origin.step)) != std::string::npos);
    CHECK((outcome.err.find("with a new optimiser") != std::string::npos) == (from == light));
    const pm::Checkpoint after = pm::load_checkpoint(at("runs/" + name + "/ckpt/last.safetensors"));
    CHECK(after.step > origin.step);
    CHECK(after.options.schedule == "constant");
    CHECK(after.options.average_decay == 0.9);  // what is not given is the checkpoint's
    CHECK(after.model.spec().input_height == origin.model.spec().input_height);
  }
  check_refused("train stacked-hourglass-small --run elsewhere" + runs() + sets() + " --from " + last, 2,
                "expected a checkpoint of stacked-hourglass-small, got scaling-dilation-small");
  check_refused("train scaling-dilation-small --run both" + runs() + sets() + " --from " + last + " --init " + last, 2,
                "either init or from");
  check_refused("export " + last, 2, "one of --model, --onnx and --checkpoint");
  // A checkpoint is a model: the one of averaged weights.
  const std::string model = at("runs/of_checkpoint.safetensors");
  REQUIRE(run("export --model " + model + " " + last).code == 0);
  CHECK(pm::Model::load(model).parameters()[0].values == origin.average[0].values);
  CHECK(run("summary " + last).code == 0);
}

}  // namespace train_test
