// The command line as users have it: the built program is run, its streams and exit codes are read.
#include "engine/custom_ops.hpp"
#include "environment.hpp"
#include "noise.hpp"
#include "reference/random_model.hpp"
#include "temporary_folder.hpp"
#include "tool/program.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <matio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tool_commands_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using tool_test::json_of;
using tool_test::Outcome;
using tool_test::program;
using tool_test::text_of;

namespace {

// A folder with a model, pictures and a data set of 3 people, made once and gone with the program.
class Fixture {
 public:
  static const Fixture& instance() {
    static const Fixture fixture;
    return fixture;
  }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }

 private:
  Fixture() {
    pm::ModelSpec spec;
    spec.input_height = spec.input_width = 64;
    spec.decoder.flip_average = true;
    const pm::Graph graph = pm::graph_of<pm::ScalingDilationSmall>();
    pm::reference::random_model("scaling-dilation-small", graph, 5, spec).save(at("m.safetensors"));
    write_picture("a.png", 90, 70, 1);
    write_picture("b.png", 50, 80, 2);
    std::ofstream(at("broken.png")) << "\x89PNG\r\n\x1a\n nothing follows";
    fs::create_directories(at("lsp/images"));
    for (int i = 1; i <= 3; ++i) {
      write_picture("lsp/images/im000" + std::to_string(i) + ".jpg", 60 + i, 75, 10 + std::uint64_t(i));
    }
  }

  void write_picture(const std::string& name, int width, int height, std::uint64_t seed) const {
    pm::write_png(at(name), test_environment::noise(width, height,
                                                    seed));  // files are known by their first bytes, not their names
  }

  test_environment::TemporaryFolder folder_;
};

std::string at(const std::string& name) { return Fixture::instance().at(name); }

Outcome run(const std::string& arguments) { return tool_test::run_program(arguments, Fixture::instance().path()); }

std::string estimate_with(const std::string& arguments) {
  return "estimate --model " + at("m.safetensors") + " " + arguments;
}

void check_refused(const std::string& arguments, int code, const std::string& message) {
  tool_test::check_refused(arguments, Fixture::instance().path(), code, message);
}

// joints.mat whose truth is what estimate says of the pictures (MATLAB counts from 1).
void write_truth(const std::vector<pm::Json>& estimates) {
  std::vector<double> values;
  for (const pm::Json& estimate : estimates) {
    for (const pm::Json& keypoint : estimate["poses"][0]["keypoints"]) {
      values.insert(values.end(), {keypoint["x"].get<double>() + 1, keypoint["y"].get<double>() + 1, 0.0});
    }
  }
  std::size_t dims[]{3, 14, estimates.size()};
  mat_t* mat = Mat_CreateVer(at("lsp/joints.mat").c_str(), nullptr, MAT_FT_MAT5);
  matvar_t* variable = Mat_VarCreate("joints", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims, values.data(), 0);
  Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE);
  Mat_VarFree(variable);
  Mat_Close(mat);
}

}  // namespace

TEST_CASE("tool: help and version are results: stdout, exit 0, nothing on stderr") {
  for (const std::string arguments :
       {"--help", "summary --help", "evaluate --help", "estimate --help", "merge --help", "bench --help",
        "calibrate --help", "tune --help", "profile --help", "export --help", "--version"}) {
    const Outcome outcome = run(arguments);
    INFO(arguments);
    CHECK(outcome.code == 0);
    CHECK(outcome.err.empty());
    CHECK(outcome.out.size() > 40);
  }
  const std::string version = run("--version").out;
  for (const char* part : {"posemachine 0.", "oneDNN ", "oneTBB ", "instruction set: "}) {
    CHECK(version.find(part) != std::string::npos);
  }
}

TEST_CASE("tool: scripts that complete commands and options, and a manual page, are made from the parser") {
  const Outcome script = run("--completion bash");
  CHECK(script.code == 0);
  CHECK(script.err.empty());
  const std::string file = at("completion");
  std::ofstream(file) << script.out << R"(
show() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _posemachine; echo "${COMPREPLY[*]}"; }
show posemachine est
show posemachine estimate --pan
show posemachine -q estimate --decoder ta
show posemachine estimate --flip ''
show posemachine dataset conv
show posemachine dataset convert --jo
show posemachine summary separable
show posemachine estimate --model ''
)";
  std::string words;
  std::FILE* const bash = ::popen(("bash " + file).c_str(), "r");
  for (int character = std::fgetc(bash); character != EOF; character = std::fgetc(bash)) {
    words += static_cast<char>(character);
  }
  CHECK(::pclose(bash) == 0);
  CHECK(words == "estimate\n--panel\ntaylor\non off\nconvert\n--joints\nseparable-residual\n\n");

  const Outcome zsh = run("--completion zsh");
  CHECK(zsh.code == 0);
  CHECK(zsh.out.starts_with("#compdef posemachine\n"));
  CHECK(zsh.out.find("'*--decoder[How heatmaps become joints; default\\: as the model says]:value:(arg_max") !=
        std::string::npos);

  const Outcome manual = run("--manual");
  CHECK(manual.code == 0);
  CHECK(manual.out.starts_with(".TH POSEMACHINE 1"));
  for (const char* part :
       {"\n.SS dataset convert\n", "\n.SS train\n", "\n.B \\-\\-second\\-pass\n", ".SH EXIT STATUS"}) {
    CAPTURE(part);
    CHECK(manual.out.find(part) != std::string::npos);
  }
}

TEST_CASE("tool: usage errors exit with 2, say what would be right and leave stdout alone") {
  check_refused("", 2, "subcommand");
  check_refused("estimat x.png", 2, "did you mean \"estimate\"?");
  check_refused("summary scaling-dilatoin", 2, "did you mean \"scaling-dilation\"?");
  check_refused("summary scaling-dilation --sise 3", 2, "got --sise; did you mean \"--size\"?");
  check_refused("train scaling-dilation --run x --valid=0.2", 2, "did you mean \"--validation\"?");
  check_refused("dataset check --data lsp:x --image x", 2,
                "check: expected options of its own, got --image; did you mean");
  check_refused("estimate --qiuet x.png", 2, "did you mean \"--quiet\"?");
  check_refused("estimate --xyzzyqwert x.png", 2, "got --xyzzyqwert\n");
  check_refused("--completion fish", 2, "bash,zsh");
  check_refused("summary scaling-dilation --size 100", 2, "multiples of 8");
  check_refused("summary scaling-dilation --size 64x", 2, "HEIGHTxWIDTH");
  check_refused("evaluate --data voc:here", 2, "lsp:DIR");
  check_refused("evaluate --data lspet:here", 3, "got no such file or folder");
  check_refused("evaluate --data lsp:here --split tset", 2, "FIRST:LAST");
  check_refused("evaluate --data lsp:here --threads 0", 2, "threads");
  check_refused(estimate_with(""), 2, "IMAGE");
  check_refused(estimate_with("--box 1,2,3 " + at("a.png")), 2, "x,y,width,height");
  check_refused(estimate_with("--box 1,2,3,4,5 " + at("a.png")), 2, "x,y,width,height");
  check_refused(estimate_with("--box 500,2,3,4 " + at("a.png")), 2, "90 x 70");
  check_refused(estimate_with("--json " + at("a.png") + " " + at("b.png")), 2, "--ndjson");
  check_refused(estimate_with("--json --ndjson " + at("a.png")), 2, "one of --json and --ndjson");
  check_refused(estimate_with("--box 1,2,30,40 " + at("a.png") + " " + at("b.png")), 2, "one image");
  check_refused(estimate_with("--overlay o.png " + at("a.png") + " " + at("b.png")), 2, "got the file o.png");
  check_refused(estimate_with("--panel p.png --box 0,0,9,9 --box 1,1,9,9 " + at("a.png")), 2, "one person");
}

TEST_CASE("tool: bad data exits with 3, a bad model with 4, and both name the file") {
  check_refused(estimate_with(at("absent.png")), 3, "absent.png");
  check_refused(estimate_with(at("broken.png")), 3, "broken.png");
  check_refused(estimate_with(at("m.safetensors")), 3, "m.safetensors");
  check_refused(estimate_with("- </dev/null"), 3, "standard input");
  check_refused("evaluate --model " + at("m.safetensors") + " --data lsp:" + at("nowhere"), 3, "nowhere");
  check_refused("estimate --model " + at("absent.safetensors") + " " + at("a.png"), 4, "absent.safetensors");
  check_refused("estimate --model " + at("a.png") + " " + at("a.png"), 4, "a.png");
  check_refused("summary " + at("absent.safetensors"), 4, "absent.safetensors");
}

TEST_CASE("tool: summary tells the paper's network to the unit, and a file as the network it holds") {
  const pm::Json paper = json_of(run("summary scaling-dilation --json"));
  CHECK(paper["network"] == "scaling-dilation");
  CHECK(paper["parameters"] == 1'602'212);
  CHECK(paper["macs"] == 3'949'877'376);
  CHECK(paper["stride"] == 8);
  CHECK(paper["nodes"] == 345);
  CHECK(paper["model_bytes"] == 4 * 1'602'212);
  CHECK(paper["receptive_field"] == 785);
  REQUIRE(paper["stages"].size() == 4);
  CHECK(paper["stages"][0] == pm::Json({{"output", "heatmaps_stage_1"},
                                        {"receptive_field", 209},
                                        {"parameters", 195'208 + 351'391},
                                        {"macs", 1'776'500'736}}));
  CHECK(paper["stages"][3]["macs"] == paper["macs"]);
  CHECK(paper["stages"][3]["macs"].get<double>() - paper["stages"][2]["macs"].get<double>() ==
        doctest::Approx(724e6).epsilon(1e-2));
  CHECK(paper["activation_bytes"].get<int>() > 1'000'000);
  const std::string table = run("summary scaling-dilation").out;
  CHECK(table.find("1,602,212") != std::string::npos);
  CHECK(table.find("NextStage_3") != std::string::npos);
  const pm::Json file = json_of(run("summary --json " + at("m.safetensors")));
  CHECK(file == json_of(run("summary --json --size 64 scaling-dilation-small")));
  CHECK(file != json_of(run("summary --json --size 64x96 scaling-dilation-small")));
}

TEST_CASE("tool: diff says where two networks first differ, and ends with 0 or 1") {
  const std::string folder = (test_environment::source_dir() / "examples/networks/").string();
  const Outcome same = run("diff " + folder + "scaling_dilation.json scaling-dilation");
  CHECK(same.code == 0);
  CHECK(same.out == "the same network: 345 nodes, 268 parameter tensors\n");
  CHECK(run("diff scaling-dilation-small " + at("m.safetensors")).code == 0);
  const Outcome other = run("diff cpm-3 cpm-6");
  CHECK(other.code == 1);
  CHECK(other.out == "number of parameters: 44 and 80\n");
  CHECK(other.err.empty());
  const Outcome json = run("diff --json cpm-3 cpm-6");
  CHECK(json.code == 1);
  CHECK(json.out == "{\"equal\":false,\"difference\":\"number of parameters: 44 and 80\"}\n");
  check_refused("diff cpm-3", 2, "B is required");
  check_refused("diff cpm-3 cpm-4", 2, "did you mean \"cpm-3\"?");
}

TEST_CASE("tool: summary --description gives what summary and diff read as the same network") {
  for (const std::string network : {"cpm-3", "separable-residual"}) {
    const Outcome outcome = run("summary --description " + network);
    REQUIRE(outcome.code == 0);
    std::ofstream(at("described.json")) << outcome.out;
    CHECK(run("diff " + network + " " + at("described.json")).code == 0);
    CHECK(json_of(run("summary --json " + at("described.json"))) == json_of(run("summary --json " + network)));
  }
  check_refused("summary --description --json cpm-3", 2, "excludes");
  check_refused("summary --description --size 64 cpm-3", 2, "excludes");
}

TEST_CASE("tool: bench prints a line for each network, whose figures fit together") {
  const Outcome outcome =
      run("bench --json --runs 3 --size 64 --batch 2 --threads 1 scaling-dilation-small " + at("m.safetensors"));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  std::istringstream lines(outcome.out);
  int count = 0;
  for (std::string text; std::getline(lines, text); ++count) {
    const pm::Json line = pm::parse_json(text, "line");
    CHECK(line["network"] == "scaling-dilation-small");
    CHECK(line["input"] == pm::Json{{"height", 64}, {"width", 64}});
    CHECK(line["batch"] == 2);
    CHECK(line["threads"] == 1);
    const double median = line["ms_per_image"]["median"].get<double>();
    CHECK(line["ms_per_image"]["least"].get<double>() <= median);
    CHECK(median <= line["ms_per_image"]["quantile_90"].get<double>());
    CHECK(line["images_per_second"].get<double>() == doctest::Approx(1e3 / median));
    const double macs = json_of(run("summary --json --size 64 scaling-dilation-small"))["macs"].get<double>();
    CHECK(line["flops"].get<double>() == doctest::Approx(2 * macs * line["images_per_second"].get<double>()));
    CHECK(line["map_bytes"].get<double>() > 3 * 3 * 64 * 64 * 4);  // the images alone
    // Copies of weights in the layouts of kernels, which the processor decides: some kernels read the model's values
    // in place, Winograd's copies of 3 x 3 weights are 4 times as large, and channels are padded to blocks.
    const pm::Json summary = json_of(run("summary --json scaling-dilation-small"));
    const double parameter_bytes = 4 * summary["parameters"].get<double>();
    CHECK(line["weight_bytes"].get<double>() > 0);
    CHECK(line["weight_bytes"].get<double>() < 5 * parameter_bytes);
    CHECK(line["ready_ms"].get<double>() > 0);
  }
  CHECK(count == 2);
  CHECK(run("bench --runs 1 --threads 1 --size 64 scaling-dilation-small").out.find("images/s") != std::string::npos);
  check_refused("bench", 2, "NET is required");
  check_refused("bench --runs 0 cpm-3", 2, "--runs");
  check_refused("bench --size 100 scaling-dilation", 2, "multiples of 8");
  check_refused("bench scaling-dilatoin", 2, "did you mean");
}

TEST_CASE("tool: tune measures convolutions into a file that bench, profile and estimate take, here and nowhere else") {
  const std::string file = at("tuning.json");
  std::filesystem::remove(file);
  const std::string net = " --size 64 --threads 1 separable-residual";
  const Outcome outcome = run("tune --runs 2 -o " + file + net);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("are fastest as estimated") != std::string::npos);
  const std::string text = text_of(file);
  const pm::Json json = pm::parse_json(text, "file");
  CHECK(json["convolutions"].size() > 10);
  CHECK(run("tune --runs 2 -o " + file + net).code == 0);  // there already: nothing is measured again
  if (outcome.err.find("left out") == std::string::npos) CHECK(text_of(file) == text);  // unless others were at work
  CHECK(run("bench --runs 1 --tuning " + file + net).code == 0);
  CHECK(run("profile --runs 1 --tuning " + file + net).code == 0);
  check_refused("tune" + net, 2, "--output");
  check_refused("tune -o '' " + net, 2, "a file's name");
  check_refused("tune -o " + at("no/such/folder/t.json") + net, 1, "No such file or directory");
  check_refused("tune -o " + at("m.safetensors") + net, 3, "m.safetensors");
  CHECK(run("bench --runs 1 --size 96 --threads 1 --tuning " + file + " separable-residual")
            .err.find("holds none of this network's convolutions") != std::string::npos);
  check_refused("bench --tuning " + at("none.json") + net, 3, "none.json");
  const std::string instructions = json["measured_on"]["instructions"].get<std::string>();
  std::string other = text;
  const std::string name = "\"" + instructions + "\"";
  other.replace(other.find(name), name.size(), instructions == "AVX2" ? "\"AVX512_CORE\"" : "\"AVX2\"");
  std::ofstream(at("other.json")) << other;
  check_refused("bench --tuning " + at("other.json") + net, 3, "tune NET -o FILE");
  check_refused("estimate --tuning " + at("other.json") + " photo.jpg", 3, "tune NET -o FILE");
}

TEST_CASE("tool: profile lists every step with what it costs, and draws one run as a trace") {
  const std::string arguments = " --runs 3 --threads 1 --size 64 scaling-dilation-small";
  const pm::Json json = json_of(run("profile --json --sort step --trace " + at("trace.json") + arguments));
  const double macs = json_of(run("summary --json --size 64 scaling-dilation-small"))["macs"].get<double>();
  double total_ms = 0, share = 0, counted = 0;
  std::int64_t moved = 0;
  std::set<int> nodes;
  for (const pm::Json& step : json["steps"]) {
    CHECK(nodes.insert(step["node"].get<int>()).second);  // each once, in the order in which they run
    CHECK(step["ms"].get<double>() >= 0);
    CHECK(step["bytes"].get<std::int64_t>() > 0);
    CHECK(step["moved_bytes"].get<std::int64_t>() <= 2 * step["bytes"].get<std::int64_t>());
    CHECK_FALSE(step["implementation"].get<std::string>().empty());
    total_ms += step["ms"].get<double>();
    share += step["share"].get<double>();
    counted += step["macs"].get<double>();
    moved += step["moved_bytes"].get<std::int64_t>();
  }
  CHECK(json["ms"].get<double>() == doctest::Approx(total_ms));
  CHECK(share == doctest::Approx(1));
  CHECK(counted == macs);
  CHECK(json["moved_bytes"] == moved);
  const pm::Json sorted = json_of(run("profile --json --top 5" + arguments));
  REQUIRE(sorted["steps"].size() == 5);
  for (std::size_t i = 1; i < 5; ++i) CHECK(sorted["steps"][i - 1]["ms"] >= sorted["steps"][i]["ms"]);

  const pm::Json trace = pm::parse_json(text_of(at("trace.json")), "trace");
  double end_us = 0;
  std::size_t events = 0;
  for (const pm::Json& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    CHECK(event["ts"].get<double>() == doctest::Approx(end_us));  // one after the other
    end_us = event["ts"].get<double>() + event["dur"].get<double>();
    CHECK(event["args"]["implementation"] == json["steps"][events++]["implementation"]);
  }
  CHECK(events == json["steps"].size());

  const Outcome table = run("profile" + arguments);
  CHECK(table.code == 0);
  CHECK(table.out.find("MB moved by reorders and copies") != std::string::npos);
  CHECK(table.out.find("NextStage_2.DilationModule_1.Conv_4") != std::string::npos);
  check_refused("profile --sort size cpm-3", 2, "--sort");
  CHECK(run("profile --trace " + at("nowhere/trace.json") + arguments).code == 1);
}

TEST_CASE("tool: export writes what a reader of ONNX finds names and weights in") {
  REQUIRE(run("export --onnx " + at("m.onnx") + " " + at("m.safetensors")).code == 0);
  const std::string bytes = text_of(at("m.onnx"));
  for (const char* name : {"heatmaps_stage_1", "PreStage_1.Conv_1.weights", "GlobalAveragePool", "posemachine"}) {
    CHECK(bytes.find(name) != std::string::npos);
  }
  check_refused("export cpm-3", 2, "expected one of --model, --onnx and --checkpoint, got none");
  check_refused("export cpm-3 --onnx a --model b", 2, "expected one of --model, --onnx and --checkpoint, got several");
  check_refused("export --size 100 --onnx " + at("n.onnx") + " scaling-dilation", 2, "multiples of 8");
  CHECK_FALSE(fs::exists(at("n.onnx")));
}

TEST_CASE(
    "tool: export --model stores weights in half the bytes; the file is a model as any, and --weights f32 undoes it") {
  const std::string original = at("m.safetensors");
  REQUIRE(run("export --model " + at("same.safetensors") + " " + original).code == 0);
  CHECK(text_of(at("same.safetensors")) == text_of(original));
  for (const std::string type : {"f16", "bf16"}) {
    const std::string narrow = at(type + ".safetensors");
    REQUIRE(run("export --weights " + type + " --model " + narrow + " " + original).code == 0);
    CHECK(fs::file_size(narrow) < 0.6 * double(fs::file_size(original)));
    CHECK(run("diff " + original + " " + narrow).code == 0);
    // Rounded weights, in floats.
    REQUIRE(run("export --weights f32 --model " + at("wide.safetensors") + " " + narrow).code == 0);
    CHECK(fs::file_size(at("wide.safetensors")) == fs::file_size(original));
    REQUIRE(
        run("export --weights " + type + " --model " + at("again.safetensors") + " " + at("wide.safetensors")).code ==
        0);
    CHECK(text_of(at("again.safetensors")) == text_of(narrow));
  }
  check_refused("export --weights f16 --onnx " + at("n.onnx") + " " + original, 2, "expected --model with it");
  check_refused("export --weights s8 --model " + at("n.safetensors") + " " + original, 2, "--weights");
}

TEST_CASE("tool: summary --svg draws the blocks with their costs, and every output with what it sees") {
  REQUIRE(run("summary --svg " + at("net.svg") + " scaling-dilation").code == 0);
  const std::string svg = text_of(at("net.svg"));
  const auto count = [&](const std::string& text) {
    std::size_t found = 0;
    for (std::size_t from = 0; (from = svg.find(text, from)) != std::string::npos; ++from) ++found;
    return found;
  };
  const auto has = [&](const std::string& text) { return svg.find(text) != std::string::npos; };
  CHECK(has("scaling-dilation at 368 x 368: 1,602,212 parameters, 3.95 G multiply-adds</text>"));
  CHECK(has(">PreStage_1</text>"));
  CHECK(has("195,208 parameters"));
  CHECK(has("sees 209 px, a cell in 8 px"));
  CHECK(has("sees 785 px, a cell in 8 px"));
  CHECK(has("288 x 46 x 46 · 390 M</text>"));
  CHECK(count(">DilationModule_1</text>") == 4);
  CHECK(count("<rect ") == 1 + 1 + 6 + 10 + 3 * 11);  // background, input, trunk, stages
  CHECK(run("summary --svg " + at("nowhere/net.svg") + " cpm-3").code == 1);

  // The picture of the documentation is that of today's network.
  CHECK(svg == text_of(test_environment::source_dir() / "docs/pictures/scaling_dilation.svg"));

  // Names are text, not markup.
  pm::Graph graph;
  pm::add_output(graph, "a<b&\"c\"", pm::convolution(graph, pm::add_input(graph, "image", 3), {.out = 15}));
  pm::Model::random("<script>", graph, 1, {}).save(at("markup.safetensors"));
  REQUIRE(run("summary --svg " + at("net.svg") + " " + at("markup.safetensors")).code == 0);
  CHECK(text_of(at("net.svg")).find("<script>") == std::string::npos);
  CHECK(text_of(at("net.svg")).find("a&lt;b&amp;&quot;c&quot;") != std::string::npos);
}

TEST_CASE("tool: a model with an operation of somebody else's is shown, and refused in words where it must run") {
  pm::Graph graph;
  const pm::Value hidden =
      pm::convolution(graph, pm::add_input(graph, "image", 3), {.out = 8, .kernel = 3, .stride = 2});
  const pm::Value bent = custom_ops::slopes<custom_ops::prelu_op>(graph, hidden);
  pm::add_output(graph, "heatmaps", pm::convolution(graph, bent, {.out = 15}));
  pm::ModelSpec spec;
  spec.input_height = spec.input_width = 32;
  pm::Model::random("theirs", graph, 1, spec).save(at("theirs.safetensors"));
  const pm::Json json = json_of(run("summary --json " + at("theirs.safetensors")));
  CHECK(json["parameters"] == 3 * 8 * 9 + 8 + 8 + 8 * 15 + 15);
  CHECK(json["stride"] == 2);
  CHECK(json["activation_bytes"].is_null());
  CHECK(json["unknown_operations"] == pm::Json({"test.prelu version 3"}));
  const std::string table = run("summary --nodes " + at("theirs.safetensors")).out;
  CHECK(table.find("not run by this program: test.prelu version 3") != std::string::npos);
  const Outcome refused = run("estimate --model " + at("theirs.safetensors") + " " + at("a.png"));
  CHECK(refused.code == 4);
  CHECK(refused.out.empty());
  CHECK(refused.err.find("nodes[2].op: expected an operation of this program, got test.prelu version 3") !=
        std::string::npos);
}

TEST_CASE("tool: estimate --stages answers with the joints of an earlier stage, and refuses more than there are") {
  const pm::Json all = json_of(run(estimate_with("--json " + at("a.png"))));
  CHECK(json_of(run(estimate_with("--json --stages 3 " + at("a.png")))) == all);
  CHECK(json_of(run(estimate_with("--json --stages 1 " + at("a.png")))) != all);
  const Outcome refused = run(estimate_with("--stages 4 " + at("a.png")));
  CHECK(refused.code == 2);
  CHECK(refused.err.find("expected 1 to 3, as many as the network has, got 4") != std::string::npos);
}

TEST_CASE("tool: estimate gives 14 named joints in the picture, the same for any threads, and from standard input") {
  const pm::Json json = json_of(run(estimate_with("--json " + at("a.png"))));
  CHECK(json["image"] == at("a.png"));
  CHECK(json["width"] == 90);
  CHECK(json["height"] == 70);
  REQUIRE(json["poses"].size() == 1);
  const pm::Json& keypoints = json["poses"][0]["keypoints"];
  REQUIRE(keypoints.size() == 14);
  CHECK(keypoints[0]["name"] == "right_ankle");
  CHECK(keypoints[13]["name"] == "head_top");
  for (const pm::Json& keypoint : keypoints) {
    CHECK(keypoint["x"].get<double>() >= 0);
    CHECK(keypoint["x"].get<double>() <= 89);
    CHECK(keypoint["y"].get<double>() <= 69);
    CHECK(keypoint["score"].get<double>() >= 0);
    CHECK(keypoint["score"].get<double>() <= 1);
  }
  CHECK(json_of(run(estimate_with("--json --threads 2 " + at("a.png")))) == json);
  pm::Json piped = json_of(run(estimate_with("--json - <" + at("a.png"))));
  CHECK(piped["image"] == "-");
  CHECK(piped["poses"] == json["poses"]);
  CHECK(run(estimate_with(at("a.png"))).out.find("left_wrist") != std::string::npos);
}

TEST_CASE("tool: --decoder answers as a model with that decoder does, and without it as the model says") {
  const auto pose = [](const std::string& model, const std::string& arguments) {
    return json_of(run("estimate --json --model " + model + " " + at("a.png") + " " + arguments))["poses"];
  };
  const pm::Model model = pm::Model::load(at("m.safetensors"));
  std::set<std::string> answers;
  for (const std::string& name : pm::DecoderKinds().names()) {
    pm::ModelSpec spec = model.spec();
    spec.decoder.kind = name;
    model.with_spec(spec).save(at(name + ".safetensors"));
    const pm::Json own = pose(at(name + ".safetensors"), "");
    CHECK(pose(at("m.safetensors"), "--decoder " + name) == own);
    CHECK(pose(at(name + ".safetensors"), "--decoder quarter_offset") == pose(at("m.safetensors"), ""));
    answers.insert(own.dump());
  }
  CHECK(answers.size() == pm::DecoderKinds().names().size());
  check_refused(estimate_with(at("a.png") + " --decoder tailor"), 2, "--decoder: tailor not in {arg_max,");
  check_refused("evaluate --data lsp:" + at("lsp") + " --decoder tailor", 2, "--decoder: tailor not in {arg_max,");
}

TEST_CASE("tool: several boxes are several poses, each the one its box alone gives") {
  const pm::Json both = json_of(run(estimate_with("--json --box 5,5,40,60 --box -3,0,30,30 " + at("a.png"))));
  REQUIRE(both["poses"].size() == 2);
  const pm::Json second = json_of(run(estimate_with("--json --box -3,0,30,30 " + at("a.png"))));
  CHECK(both["poses"][1] == second["poses"][0]);
  CHECK(both["poses"][0] != both["poses"][1]);
  CHECK(both["poses"][1]["box"] == pm::Json({-3.0, 0.0, 30.0, 30.0}));
}

TEST_CASE("tool: several images are a line each, in order; a broken one is reported and the others still come") {
  const Outcome outcome =
      run(estimate_with("--ndjson " + at("b.png") + " " + at("broken.png") + " " + at("a.png") + " " + at("b.png")));
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("broken.png") != std::string::npos);
  std::vector<std::string> lines;
  for (std::size_t begin = 0, end; (end = outcome.out.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back(outcome.out.substr(begin, end - begin));
  }
  REQUIRE(lines.size() == 3);
  CHECK(lines[0] == lines[2]);
  CHECK(pm::parse_json(lines[0], "line")["image"] == at("b.png"));
  CHECK(pm::parse_json(lines[1], "line") == json_of(run(estimate_with("--json " + at("a.png")))));
}

TEST_CASE("tool: overlay and panel are pictures, and - writes the picture alone to stdout") {
  const std::string pictures = "--overlay " + at("o.png") + " --panel " + at("p.png");
  const Outcome outcome = run(estimate_with(pictures + " " + at("a.png")));
  REQUIRE(outcome.code == 0);
  const pm::Image overlay = pm::read_image(at("o.png"));
  const pm::Image photo = pm::read_image(at("a.png"));
  CHECK(overlay.width == 90);
  CHECK(overlay.height == 70);
  CHECK(overlay.pixels != photo.pixels);
  const pm::Image panel = pm::read_image(at("p.png"));
  CHECK(panel.width > 4 * 240);  // 16 pictures in a square
  CHECK(panel.height > 4 * 240);
  const Outcome piped = run(estimate_with("--overlay - " + at("a.png")));
  CHECK(piped.code == 0);
  CHECK(piped.out == text_of(at("o.png")));
  CHECK(run(estimate_with("--overlay " + at("no/such/folder.png") + " " + at("a.png"))).code == 1);
}

TEST_CASE("tool: evaluate measures the joints that estimate gives, per stage, the same for any threads") {
  std::vector<pm::Json> estimates;
  for (int i = 1; i <= 3; ++i) {
    estimates.push_back(json_of(run(estimate_with("--json " + at("lsp/images/im000" + std::to_string(i) + ".jpg")))));
  }
  write_truth(estimates);
  const std::string evaluate = "evaluate --model " + at("m.safetensors") + " --data lsp:" + at("lsp") + " ";
  const pm::Json json = json_of(run(evaluate + "--split 1:3 --json --quiet"));
  CHECK(json["people"] == 3);
  CHECK(json["pck"]["threshold"] == 0.2);
  CHECK(json["pck"]["mean"].get<double>() > 95);  // torsos of noise may be shorter than the JSON's rounding
  for (const char* group : {"head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"}) {
    CHECK(json["pck"].contains(group));
  }
  CHECK(json["pcp_strict"].contains("upper_arm"));
  REQUIRE(json["stages"].size() == 3);
  CHECK(json["stages"][2]["pck"] == json["pck"]);
  CHECK(json["stages"][2]["pcp_strict"] == json["pcp_strict"]);
  CHECK(json["stages"][0]["pck"]["mean"].get<double>() < json["pck"]["mean"].get<double>());
  CHECK(json_of(run(evaluate + "--split 1:3 --json --threads 2")) == json);
  const auto fine = [&](const std::string& decoder) {  // at a threshold that a cell's parts decide
    return json_of(run(evaluate + "--split 1:3 --json --threshold 0.01" + decoder))["stages"][2]["pck"]["parts"];
  };
  CHECK(fine(" --decoder quarter_offset") == fine(""));
  CHECK(fine(" --decoder arg_max") != fine(""));
  CHECK(json_of(run(evaluate + "--split 2:2 --json"))["people"] == 1);
  CHECK(run(evaluate + "--split 1:3").out.find("PCK@0.2") != std::string::npos);
  check_refused(evaluate + "--split 2:4", 3, "im0004.jpg");
  CHECK(json_of(run(evaluate + "--split 2:4 --json --allow-missing"))["people"] == 2);  // 4 is not annotated
  CHECK(json_of(run(evaluate + "--json"))["people"] == 3);  // LSP's layout, but no LSP: it has no parts
}

TEST_CASE("tool: evaluate and calibrate go round photographs that are damaged, and absent ones where that is allowed") {
  std::vector<pm::Json> estimates;
  for (int i = 1; i <= 3; ++i) {
    estimates.push_back(json_of(run(estimate_with("--json " + at("lsp/images/im000" + std::to_string(i) + ".jpg")))));
  }
  write_truth(estimates);
  fs::remove_all(at("holes"));
  fs::copy(at("lsp"), at("holes"), fs::copy_options::recursive);
  const std::string second = at("holes/images/im0002.jpg");
  const std::string of_holes = " --model " + at("m.safetensors") + " --data lsp:" + at("holes") + " ";
  std::ofstream(second, std::ios::trunc) << "no picture";
  const Outcome damaged = run("evaluate --json" + of_holes);
  const pm::Json json = json_of(damaged);
  CHECK(json["people"] == 2);
  CHECK(json["left_out"] == 1);
  REQUIRE(json["left_out_images"].size() == 1);
  CHECK(json["left_out_images"][0]["image"] == second);
  CHECK(damaged.err.find("left out: " + second + ": expected a JPEG or PNG image") != std::string::npos);
  CHECK(run("evaluate" + of_holes).out.find("2 people, 1 left out, crops from the images alone") != std::string::npos);
  const pm::Json compared = json_of(run("evaluate --compare --json" + of_holes));
  CHECK(compared["people"] == 2);
  CHECK(compared["left_out_images"] == json["left_out_images"]);
  // In shares, the same.
  for (const char* share : {"1", "2", "3"}) {
    std::ofstream(at(std::string("hole") + share)) << run("evaluate --json" + of_holes + "--shard " + share + "/3").out;
  }
  const Outcome merged = run("merge --json " + at("hole1") + " " + at("hole2") + " " + at("hole3"));
  CHECK(merged.out == damaged.out);
  // Right and wrong joints are too few here: it is said after the photograph.
  CHECK(run("calibrate" + of_holes).err.find("left out: " + second) != std::string::npos);
  fs::remove(second);
  check_refused("evaluate" + of_holes, 3, "im0002.jpg: expected all images of 1:3, got 1 missing");
  const Outcome allowed = run("evaluate --json --allow-missing" + of_holes);
  CHECK(json_of(allowed)["people"] == 2);
  CHECK(json_of(allowed)["left_out_images"][0]["problem"] == second + ": absent");
  CHECK(allowed.err.find("left out: 1 of 3 people, whose images are absent: 1, " + second + " first") !=
        std::string::npos);
  for (const char* other : {"im0001.jpg", "im0003.jpg"}) std::ofstream(at("holes/images/") + other) << "no picture";
  check_refused("evaluate --allow-missing" + of_holes, 3, "got none among those of 3 people");
}

TEST_CASE("tool: calibrate writes the weights as they are with a curve, by which estimate scores from then on") {
  std::vector<pm::Json> estimates;
  for (int i = 1; i <= 3; ++i) {
    pm::Json estimate = json_of(run(estimate_with("--json " + at("lsp/images/im000" + std::to_string(i) + ".jpg"))));
    pm::Json& keypoints = estimate["poses"][0]["keypoints"];
    std::vector<double> scores;
    for (const pm::Json& keypoint : keypoints) scores.push_back(keypoint["score"].get<double>());
    std::nth_element(scores.begin(), scores.begin() + 7, scores.end());
    for (pm::Json& keypoint : keypoints) {  // strong peaks are right, weak ones are not
      if (keypoint["score"].get<double>() < scores[7]) keypoint["x"] = keypoint["x"].get<double>() + 1000;
    }
    estimates.push_back(estimate);
  }
  write_truth(estimates);
  const std::string calibrate = "calibrate --model " + at("m.safetensors") + " --data lsp:" + at("lsp") + " ";
  const pm::Json json = json_of(run(calibrate + "--metric pck@0.02:image --quiet --json -o " + at("c.safetensors")));
  const pm::Model plain = pm::Model::load(at("m.safetensors"));
  const pm::Model model = pm::Model::load(at("c.safetensors"));
  REQUIRE(model.spec().calibration.has_value());
  const pm::Calibration curve = *model.spec().calibration;
  CHECK(json["calibration"] == pm::calibration_to_json(curve));
  CHECK(curve.metric == "pck@0.02:image");
  CHECK(curve.joints > 21);  // those whose maps have a peak above 0, of
  CHECK(curve.joints <= 42);
  CHECK(model.with_calibration({}).to_bytes() == plain.to_bytes());
  int joints = 0, right = 0;
  for (const pm::Json& bin : json["bins"]) {
    joints += bin["joints"].get<int>();
    right += bin["right"].get<int>();
  }
  CHECK(joints == 42);
  CHECK(right >= 21);
  CHECK(run(calibrate + "--metric pck@0.02:image").out.find("right by pck@0.02:image") != std::string::npos);
  // From peaks again, not from probabilities; over its own file, too.
  CHECK(json_of(run("calibrate --model " + at("c.safetensors") + " --data lsp:" + at("lsp") +
                    " --metric pck@0.02:image --quiet --json -o " + at("c.safetensors")))["calibration"] ==
        json["calibration"]);
  const pm::Json peaks = json_of(run(estimate_with("--json " + at("a.png"))))["poses"][0];
  const pm::Json chances = json_of(run("estimate --quiet --json --model " + at("c.safetensors") + " " + at("a.png")));
  for (std::size_t j = 0; j < 14; ++j) {
    const pm::Json& chance = chances["poses"][0]["keypoints"][j];
    CHECK(chance["x"] == peaks["keypoints"][j]["x"]);
    const double expected = curve(peaks["keypoints"][j]["score"].get<double>());
    CHECK(chance["score"].get<double>() == doctest::Approx(expected).epsilon(0.01));
  }
  check_refused(calibrate + "--metric pck@1000 --quiet", 3, "calibrate: expected at least 10 right and as many wrong");
  check_refused(calibrate + "--metric epe", 2, "--metric: expected pck[@T][:NORMALISER], got \"epe\"");
  check_refused("calibrate --model " + at("m.safetensors"), 2, "--data is required");
  // Places that cannot be written are refused before anything is read, and what is no model is not replaced.
  const std::string out = calibrate + "--metric pck@0.02:image --quiet -o ";
  check_refused(out + at("absent/c.safetensors"), 2, "--output: expected a file in a folder that is there, got");
  pm::Checkpoint checkpoint{plain};
  checkpoint.epoch_losses.resize(plain.graph().outputs.size());
  pm::save_checkpoint(checkpoint, at("last.safetensors"));
  const std::string before = text_of(at("last.safetensors"));
  const std::string of_run = "calibrate --metric pck@0.02:image --quiet --data lsp:" + at("lsp") + " --model " +
                             at("last.safetensors") + " -o ";
  fs::create_symlink(at("last.safetensors"), at("link.safetensors"));
  for (const char* name : {"last.safetensors", "link.safetensors"}) {
    const std::string refusal = "a new file, or a model's to be replaced, got " + at(name) + ", a checkpoint";
    check_refused(of_run + at(name), 2, "--output: expected " + refusal);
    check_refused(out + at(name), 2, "--output: expected " + refusal);  // of a model of its own
    check_refused("export --model " + at(name) + " " + at("m.safetensors"), 2, "--model: expected " + refusal);
    CHECK(text_of(at("last.safetensors")) == before);
  }
  const std::string truth = text_of(at("lsp/joints.mat"));
  check_refused(out + at("lsp/joints.mat"), 2, at("lsp/joints.mat") + ", which holds no model");
  CHECK(text_of(at("lsp/joints.mat")) == truth);
  std::ofstream(at("from_run.safetensors"));  // empty, as mktemp leaves it
  REQUIRE(run(of_run + at("from_run.safetensors")).code == 0);
  CHECK(text_of(at("from_run.safetensors")) == text_of(at("c.safetensors")));
}

TEST_CASE("tool: a whole image without anybody is said to be so by a calibrated model, and nothing is drawn on it") {
  const pm::Model model = pm::Model::load(at("m.safetensors"));
  model.with_calibration(pm::Calibration{.half = 100, .slope = 3, .person = 0.3}).save(at("never.safetensors"));
  const std::string estimate = "estimate --model " + at("never.safetensors") + " ";
  std::ofstream(at("ids.json")) << R"({"images":[{"id":7,"file_name":"a.png"}]})";
  const Outcome text = run(estimate + "--overlay " + at("nobody.png") + " " + at("a.png"));
  CHECK(text.code == 0);
  CHECK(text.out.ends_with("pixels\nno person\n"));
  CHECK(text.err.find(at("a.png") +
                      ": nothing like a person was found: the score is 0.00, 99 of 100 people have 0.30 or more") !=
        std::string::npos);
  CHECK(pm::read_image(at("nobody.png")).pixels == pm::read_image(at("a.png")).pixels);
  const Outcome json = run(estimate + "--json " + at("a.png"));
  CHECK(json_of(json)["person"] == false);
  CHECK(json_of(json)["poses"].size() == 1);  // for programs, which may know better
  CHECK(json_of(run(estimate + "--ndjson " + at("a.png")))["person"] == false);
  CHECK(run(estimate + "--format coco --image-ids " + at("ids.json") + " " + at("a.png")).out == "[\n]\n");
  CHECK(json_of(run(estimate + "--format openpose " + at("a.png")))["people"].empty());
  const std::string table = run(estimate + "--format csv " + at("a.png")).out;
  CHECK(table.find('\n') == table.size() - 1);  // the names of the columns
  CHECK(json.err.find("nothing like a person") != std::string::npos);
  const Outcome box = run(estimate + "--box 5,5,40,60 " + at("a.png"));
  CHECK(box.out.find("left_wrist") != std::string::npos);
  CHECK(box.err.empty());
  CHECK_FALSE(json_of(run(estimate + "--json --box 5,5,40,60 " + at("a.png"))).contains("person"));
  model.with_calibration(pm::Calibration{.half = 1e-6, .slope = 3, .person = 0.3}).save(at("always.safetensors"));
  CHECK(json_of(run("estimate --json --model " + at("always.safetensors") + " " + at("a.png")))["person"] == true);
  CHECK(run(estimate_with(at("a.png"))).err.find("nothing like") == std::string::npos);
  CHECK(run(estimate + "--scales 0.9,1 " + at("a.png")).err.empty());  // the calibration is of one scale
  model.with_calibration(pm::Calibration{.half = 100, .slope = 3}).save(at("unknown.safetensors"));
  CHECK(run("estimate --model " + at("unknown.safetensors") + " " + at("a.png")).err.empty());
}

TEST_CASE("tool: estimate --flip, --scales and --second-pass do what they say, and refuse before anything is read") {
  const auto poses = [](const std::string& arguments) {
    return json_of(run(estimate_with("--json " + arguments + " " + at("a.png"))))["poses"];
  };
  const pm::Json usual = poses("");
  CHECK(poses("--flip on") == usual);  // as the model says
  CHECK(poses("--flip off") != usual);
  CHECK(poses("--scales 1") == usual);
  const pm::Json scaled = poses("--scales 0.8:0.2:1.2");
  CHECK(scaled != usual);
  CHECK(poses("--scales 0.8,1,1.2") == scaled);
  const std::string absent = at("absent.png");
  check_refused(estimate_with("--flip perhaps " + absent), 2, "--flip: perhaps not in {on,off}");
  for (const char* scales : {"x", "1,", "1,,2", "1;2", "1:2", "1:0:2", "2:0.1:1", "0.1:1e-9:1", "inf"}) {
    check_refused(estimate_with("--scales " + ("'" + std::string(scales) + "' ") + absent), 2, "FIRST:STEP:LAST");
  }
  check_refused(estimate_with("--scales 1.1,1.3 " + absent), 2, "--scales: expected one of at most 1");
  check_refused(estimate_with("--scales 1,20 " + absent), 2, "--scales: expected numbers from 0.1 to 10, got 20");
  const std::string photo = (test_environment::source_dir() / "examples/photos/pitcher.jpg").string();
  const auto box = [&](const std::string& arguments) {
    return json_of(run("estimate --json --box 314,186,76,160 " + arguments + " " + photo))["poses"][0]["box"];
  };
  CHECK(box("--second-pass") != box(""));
}

TEST_CASE("tool: evaluate --compare has the figures of single evaluations, and a time for each") {
  std::vector<pm::Json> estimates;
  for (int i = 1; i <= 3; ++i) {
    estimates.push_back(json_of(run(estimate_with("--json " + at("lsp/images/im000" + std::to_string(i) + ".jpg")))));
  }
  write_truth(estimates);
  const std::string evaluate =
      "evaluate --model " + at("m.safetensors") + " --data lsp:" + at("lsp") + " --metric pck@0.02:image --quiet ";
  const pm::Json json = json_of(run(evaluate + "--compare --json --threads 1"));
  CHECK(json["people"] == 3);
  CHECK(json["metric"] == "pck@0.02:image");
  const std::vector<std::pair<std::string, std::string>> rows{{"as the model says", ""},
                                                              {"flip off", "--flip off"},
                                                              {"flip on", "--flip on"},
                                                              {"arg_max", "--decoder arg_max"},
                                                              {"quarter_offset", "--decoder quarter_offset"},
                                                              {"taylor", "--decoder taylor"},
                                                              {"local_mean", "--decoder local_mean"},
                                                              {"second pass", "--second-pass"},
                                                              {"scales 0.7 to 1.3", "--scales 0.7:0.1:1.3"}};
  REQUIRE(json["rows"].size() == rows.size());
  const double first = json["rows"][0]["mean"].get<double>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const pm::Json& row = json["rows"][i];
    INFO(rows[i].first);
    CHECK(row["name"] == rows[i].first);
    CHECK(row["options"].empty() == (i == 0));
    const pm::Json alone = json_of(run(evaluate + "--json " + rows[i].second));
    CHECK(row["mean"] == alone["pck"]["mean"]);
    CHECK(row["difference"].get<double>() == doctest::Approx(row["mean"].get<double>() - first).epsilon(1e-3));
    CHECK(row["ms"].get<double>() > 0);
  }
  check_refused(evaluate + "--compare --metric epe", 2, "--metric: expected one, which --compare compares by, got 2");
  const std::string text = run(evaluate + "--compare").out;
  for (const auto& [name, option] : rows) CHECK(text.find("\n" + name + " ") != std::string::npos);
  for (const char* option : {"--decoder taylor", "--flip on", "--scales 1", "--second-pass", "--shard 1/2 --json"}) {
    check_refused("evaluate --compare --data lsp:here " + std::string(option), 2, "got --compare, too");
  }
}

TEST_CASE("tool: shares of evaluations with other scales are not merged") {
  write_truth(std::vector<pm::Json>(3, json_of(run(estimate_with("--json " + at("a.png"))))));
  const std::string evaluate =
      "evaluate --model " + at("m.safetensors") + " --data lsp:" + at("lsp") + " --json --quiet --metric epe ";
  const auto share = [&](const std::string& name, const std::string& arguments) {
    const Outcome outcome = run(evaluate + arguments);
    CHECK(outcome.code == 0);
    std::ofstream(at(name)) << outcome.out;
    return at(name) + " ";
  };
  const std::string first = share("s1.json", "--shard 1/2 --scales 0.9,1"), other = share("s2.json", "--shard 2/2");
  const std::string second = share("s3.json", "--shard 2/2 --scales 0.9,1");
  check_refused("merge " + first + other, 3, "test_time");
  CHECK(json_of(run("merge --json " + first + second)) == json_of(run(evaluate + "--scales 0.9,1")));
}

TEST_CASE("tool: a full stdout is a failure, not a silent loss") {
  if (!fs::exists("/dev/full")) return;
  const std::string command = "'" + program() + "' summary scaling-dilation-small >/dev/full 2>'" + at("stderr") + "'";
  const int status = std::system(command.c_str());
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(text_of(at("stderr")).find("stdout") != std::string::npos);
}

TEST_CASE("tool: SIGTERM and SIGINT end a waiting estimate with 143 and 130") {
  std::signal(SIGPIPE, SIG_IGN);  // a program that ends too early is a failed check, not the end of this one
  for (const int number : {SIGTERM, SIGINT}) {
    const std::string program = tool_test::program();
    const std::string model = at("m.safetensors");
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(ends[0], STDIN_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(program.c_str(), program.c_str(), "estimate", "--model", model.c_str(), "-", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(ends[0]);
    // More than a pipe holds: once it is written the program reads, so its signals are watched.
    const std::string bytes(300'000, 'x');
    for (std::size_t written = 0; written < bytes.size();) {
      const ssize_t count = ::write(ends[1], bytes.data() + written, bytes.size() - written);
      REQUIRE(count > 0);
      written += static_cast<std::size_t>(count);
    }
    ::kill(child, number);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::close(ends[1]);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 128 + number);
  }
}

}  // namespace tool_commands_test
