// posemachine estimate: the poses of the people in photographs.
#include "tool.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/pose.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct EstimateArguments {
  std::string model;
  std::vector<std::string> images;
  std::vector<std::string> boxes;
  std::string overlay;
  std::string panel;
  bool json = false;
  bool ndjson = false;
  int threads = default_threads();
  int stages = 0;
  std::string tuning;
};

void check_arguments(const EstimateArguments& arguments) {
  const auto refuse = [](bool wrong, const char* where, const char* expected, const char* got,
                         const char* remedy = "") {
    if (wrong) pm::fail<pm::UsageError>({.where = where, .expected = expected, .got = got, .remedy = remedy});
  };
  const bool several = arguments.images.size() > 1;
  refuse(arguments.json && arguments.ndjson, "--json", "one of --json and --ndjson", "both");
  refuse(several && arguments.json, "--json", "one image", "several", "use --ndjson: a line for each");
  refuse(several && !arguments.boxes.empty(), "--box", "one image", "several", "boxes belong to one image");
  refuse(several && !arguments.overlay.empty(), "--overlay", "one image", "several");
  refuse(several && !arguments.panel.empty(), "--panel", "one image", "several");
  refuse(arguments.boxes.size() > 1 && !arguments.panel.empty(), "--panel", "one person", "several boxes");
  const auto standard_inputs = std::count(arguments.images.begin(), arguments.images.end(), "-");
  refuse(standard_inputs > 1, "IMAGE", "standard input (-) once", "twice");
  const bool text = arguments.json || arguments.ndjson;
  refuse(arguments.overlay == "-" && arguments.panel == "-", "--panel", "one picture on stdout", "two");
  const bool picture = arguments.overlay == "-" || arguments.panel == "-";
  refuse(picture && text, "--json", "one result on stdout", "a picture too");
}

pm::Box parse_box(const std::string& text) {
  std::array<double, 4> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  bool right = true;
  for (std::size_t i = 0; i < numbers.size() && right; ++i) {
    const auto parsed = std::from_chars(at, end, numbers[i]);
    right = parsed.ec == std::errc{} && (i == 3 ? parsed.ptr == end : parsed.ptr != end && *parsed.ptr == ',');
    at = parsed.ptr + 1;
  }
  if (right) return {numbers[0], numbers[1], numbers[2], numbers[3]};
  pm::fail<pm::UsageError>({.where = "--box", .expected = "x,y,width,height in pixels", .got = "\"" + text + "\"",
                            .remedy = "as in --box 150,60,330,400"});
}

// Standard input to its end, as long as nobody asks to stop.
std::vector<std::byte> read_standard_input(const Context& context, std::uintmax_t max_bytes) {
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> chunk;
  for (;;) {
    context.stop_if_asked();
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 100) == 0) continue;  // ms: how often a stop request is looked for
    const ssize_t count = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) pm::fail<pm::DataError>({.where = "standard input", .got = std::strerror(errno)});
    if (count == 0) return bytes;
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + count);
    if (bytes.size() <= max_bytes) continue;
    pm::fail<pm::DataError>({.where = "standard input", .expected = "at most " + std::to_string(max_bytes) + " bytes",
                             .got = "more"});
  }
}

pm::Image read_photo(const std::string& path, const Context& context) {
  const pm::ImageLimits limits;
  if (path != "-") return pm::read_image(path, limits);
  return pm::decode_image(read_standard_input(context, limits.max_file_bytes), "standard input", limits);
}

// What is said of one image: poses, or why there are none.
struct Result {
  int width = 0;
  int height = 0;
  std::vector<pm::Pose> poses;
  std::string problem;
};

pm::Json to_json(const std::string& name, const Result& result, const pm::JointSet& joints) {
  const auto rounded = [](double value, double unit) { return std::round(value / unit) * unit; };
  pm::Json json;
  json["image"] = name;
  json["width"] = result.width;
  json["height"] = result.height;
  json["poses"] = pm::Json::array();
  for (const pm::Pose& pose : result.poses) {
    pm::Json keypoints = pm::Json::array();
    for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
      const pm::Keypoint& keypoint = pose.keypoints[j];
      pm::Json entry;
      entry["name"] = joints.joints[j];
      entry["x"] = keypoint.found() ? pm::Json(rounded(keypoint.position.x, 0x1p-10)) : pm::Json();
      entry["y"] = keypoint.found() ? pm::Json(rounded(keypoint.position.y, 0x1p-10)) : pm::Json();
      entry["score"] = rounded(keypoint.score, 0x1p-16);
      keypoints.push_back(std::move(entry));
    }
    pm::Json entry;
    entry["box"] = {pose.box.x, pose.box.y, pose.box.width, pose.box.height};
    entry["keypoints"] = std::move(keypoints);
    json["poses"].push_back(std::move(entry));
  }
  return json;
}

std::string to_text(const std::string& name, const Result& result, const pm::JointSet& joints) {
  std::string text = format("%s: %d x %d pixels\n", name.c_str(), result.width, result.height);
  for (const pm::Pose& pose : result.poses) {
    text += format("person in %g,%g,%g,%g\n", pose.box.x, pose.box.y, pose.box.width, pose.box.height);
    for (std::size_t j = 0; j < pose.keypoints.size(); ++j) {
      const pm::Keypoint& keypoint = pose.keypoints[j];
      text += format("  %-16s", joints.joints[j].c_str());
      const auto& [x, y] = keypoint.position;
      text += keypoint.found() ? format("%8.1f %8.1f   %.2f\n", x, y, keypoint.score) : "not found\n";
    }
  }
  return text;
}

void write_picture(const std::string& path, const pm::Image& image) {
  if (path == "-") {
    write_stdout(pm::encode_png(image));
  } else {
    pm::write_png(path, image);
  }
}

// One photograph and what is to be drawn of it.
Result estimate_one(pm::Estimator& estimator, const EstimateArguments& arguments, std::span<const pm::Box> boxes,
                    const Context& context) {
  const pm::Image photo = read_photo(arguments.images.front(), context);
  context.stop_if_asked();
  Result result{photo.width, photo.height, {}, ""};
  if (boxes.size() > 1) {
    result.poses = estimator(photo, boxes);
  } else {
    const pm::Estimate estimate = estimator.explain(photo, boxes.empty() ? std::nullopt : std::optional(boxes.front()));
    result.poses.push_back(estimate.pose);
    if (!arguments.panel.empty()) {
      const pm::Meaning& meaning = estimator.model().meaning();
      write_picture(arguments.panel, pm::draw_stage(photo, estimate, estimate.stages.size() - 1, meaning));
    }
  }
  if (!arguments.overlay.empty()) {
    pm::Image picture = photo;
    for (const pm::Pose& pose : result.poses) pm::draw_pose(picture, pose, estimator.model().meaning().joints);
    write_picture(arguments.overlay, picture);
  }
  return result;
}

int estimate(const EstimateArguments& arguments, const Context& context) {
  check_arguments(arguments);
  std::vector<pm::Box> boxes;
  for (const std::string& text : arguments.boxes) boxes.push_back(parse_box(text));
  const pm::Model model =
      pm::Model::load(arguments.model.empty() ? bundled_model().string() : arguments.model, context.ops);
  const pm::JointSet& joints = model.meaning().joints;
  const bool picture_on_stdout = arguments.overlay == "-" || arguments.panel == "-";
  const auto print = [&](const std::string& name, const Result& result) {
    if (picture_on_stdout) return;
    const bool json = arguments.json || arguments.ndjson;
    write_stdout(json ? to_json(name, result, joints).dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n"
                      : to_text(name, result, joints));
  };

  // Networks of one thread each, whatever the number of people and images: no result depends on --threads.
  pm::EstimatorOptions options;
  options.stages = arguments.stages;
  options.tuning = arguments.tuning;
  const pm::Estimator first(model, options);
  if (arguments.images.size() == 1) {
    options.threads = boxes.size() > 1 ? arguments.threads : 1;
    pm::Estimator estimator = first.with(options);
    print(arguments.images.front(), estimate_one(estimator, arguments, boxes, context));
    return done;
  }

  pm::Workers workers(arguments.threads);
  std::vector<pm::Estimator> estimators(std::size_t(arguments.threads), first);
  Progress progress(context, "estimating");
  int code = done;
  const std::size_t batch = 4 * std::size_t(arguments.threads);  // images; printed in order after each batch
  for (std::size_t begin = 0; begin < arguments.images.size(); begin += batch) {
    context.stop_if_asked();
    std::vector<Result> results(std::min(batch, arguments.images.size() - begin));
    workers.for_each(static_cast<int>(results.size()), [&](int index, int slot) {
      Result& result = results[std::size_t(index)];
      try {
        const pm::Image photo = read_photo(arguments.images[begin + std::size_t(index)], context);
        result.width = photo.width;
        result.height = photo.height;
        result.poses.push_back(estimators[std::size_t(slot)](photo));
      } catch (const pm::DataError& error) {  // the other images can still be used
        result.problem = error.what();
      }
    });
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i].problem.empty()) {
        print(arguments.images[begin + i], results[i]);
      } else {
        complain(results[i].problem);
        code = bad_data;
      }
    }
    progress.update(static_cast<long long>(begin + results.size()), static_cast<long long>(arguments.images.size()));
  }
  return code;
}

}  // namespace

Command add_estimate(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<EstimateArguments>();
  CLI::App* command = app.add_subcommand("estimate", "The poses of the people in photographs");
  command->add_option("IMAGE", arguments->images, "JPEG or PNG; - is standard input")->required();
  command->add_option("--model", arguments->model, "Model file; default: the bundled one");
  command->add_option("--box", arguments->boxes,
                      "x,y,width,height of a person in pixels, once for each; default: one person, the whole photo")
      ->allow_extra_args(false);
  command->add_option("--overlay", arguments->overlay, "PNG to write: the photo with the skeletons drawn on it");
  command->add_option("--panel", arguments->panel, "PNG to write: the photo, every joint's heatmap and the pose");
  command->add_flag("--json", arguments->json,
                    "One JSON object: image, width, height, poses with box and keypoints (name, x, y,\n"
                    "score from 0 to 1; x and y are null where a joint is missing)");
  command->add_flag("--ndjson", arguments->ndjson, "The same, a line for each image");
  command->add_option("--stages", arguments->stages,
                      "Answer after so many of the network's stages: sooner, and less surely; default: after all")
      ->check(CLI::Range(1, 256));
  command->add_option("--tuning", arguments->tuning, "A file of posemachine tune: sooner, the same but for rounding")
      ->option_text("FILE");
  command
      ->add_option("--threads", arguments->threads,
                   "People or images at a time; the result is the same for any number")
      ->check(CLI::Range(1, 256))->capture_default_str();
  return {command, [arguments, &context] { return estimate(*arguments, context); }};
}

}  // namespace tool
