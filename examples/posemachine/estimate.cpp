// posemachine estimate: the poses of the people in photographs.
#include "network_source.hpp"
#include "shard_record.hpp"
#include "tool.hpp"

#include <posemachine/base/digest.hpp>
#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/image_folder.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct EstimateArguments {
  std::string model;
  std::string decoder;
  std::vector<std::string> images;
  std::vector<std::string> boxes;
  std::string overlay;
  std::string panel;
  std::optional<std::string> shard;
  bool json = false;
  bool ndjson = false;
  int threads = default_threads();
  int stages = 0;
  std::string tuning;
};

// A folder counts as several images, however many are in it, and so does a share of any.
bool is_one_image(const EstimateArguments& arguments) {
  std::error_code error;
  return arguments.images.size() == 1 && !arguments.shard &&
         !std::filesystem::is_directory(arguments.images.front(), error);
}

void check_arguments(const EstimateArguments& arguments) {
  const auto refuse = [](bool wrong, const char* where, const char* expected, const char* got,
                         const char* remedy = "") {
    if (wrong) pm::fail<pm::UsageError>({.where = where, .expected = expected, .got = got, .remedy = remedy});
  };
  const bool several = !is_one_image(arguments);
  const bool shard = arguments.shard.has_value();
  const char* const got = shard ? "a share of several" : arguments.images.size() > 1 ? "several" : "a folder";
  refuse(arguments.json && arguments.ndjson, "--json", "one of --json and --ndjson", "both");
  refuse(several && arguments.json, "--json", "one image", got, "use --ndjson: a line for each");
  refuse(several && !arguments.boxes.empty(), "--box", "one image", got, "boxes belong to one image");
  refuse(several && !arguments.overlay.empty(), "--overlay", "one image", got);
  refuse(several && !arguments.panel.empty(), "--panel", "one image", got);
  refuse(shard && !arguments.ndjson, "--shard", "--ndjson", "text", "posemachine merge puts lines of JSON together");
  refuse(arguments.boxes.size() > 1 && !arguments.panel.empty(), "--panel", "one person", "several boxes");
  const auto standard_inputs = std::count(arguments.images.begin(), arguments.images.end(), "-");
  refuse(standard_inputs > 1, "IMAGE", "standard input (-) once", "twice");
  refuse(standard_inputs > 0 && shard, "--shard", "files, which every share can read", "standard input (-)");
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
  pm::fail<pm::UsageError>({.where = "--box",
                            .expected = "x,y,width,height in pixels",
                            .got = "\"" + text + "\"",
                            .remedy = "as in --box 150,60,330,400"});
}

pm::Image read_photo(const std::string& path, const Context& context) {
  const pm::ImageLimits limits;
  if (path != "-") return pm::read_image(path, limits);
  const std::string bytes = read_standard_input(context, limits.max_file_bytes);
  return pm::decode_image(std::as_bytes(std::span(bytes.data(), bytes.size())), "standard input", limits);
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

// The names of all images, folders opened.
std::vector<std::string> image_names(const EstimateArguments& arguments) {
  std::vector<std::string> names;
  for (const std::string& name : arguments.images) {
    std::error_code error;
    if (!std::filesystem::is_directory(name, error)) {
      names.push_back(name);
      continue;
    }
    for (const std::filesystem::path& image : pm::images_in(name)) names.push_back(image.string());
  }
  return names;
}

// What all shares of the images have in common.
pm::Json run_of(const EstimateArguments& arguments, const pm::Model& model, const std::vector<std::string>& names) {
  pm::Digest digest;
  for (const std::string& name : names) digest.add(name.c_str(), name.size() + 1);
  return {{"command", "estimate"},
          {"network", model.network()},
          {"model", model_digest(model)},
          {"stages", arguments.stages},
          {"images", {{"count", names.size()}, {"digest", digest.text()}}}};
}

int estimate(const EstimateArguments& arguments, const Context& context) {
  check_arguments(arguments);
  ShardRecord record;
  if (arguments.shard) record.shard = pm::parse_shard(*arguments.shard);
  std::vector<pm::Box> boxes;
  for (const std::string& text : arguments.boxes) boxes.push_back(parse_box(text));
  const std::vector<std::string> all_images = image_names(arguments);
  const std::string path = arguments.model.empty() ? bundled_model().string() : arguments.model;
  const pm::Model model = with_decoder(pm::load_trained(path, context.ops), arguments.decoder);
  const pm::JointSet& joints = model.meaning().joints;
  const bool picture_on_stdout = arguments.overlay == "-" || arguments.panel == "-";
  pm::Digest lines;
  const auto print = [&](const std::string& name, const Result& result) {
    if (picture_on_stdout) return;
    const bool json = arguments.json || arguments.ndjson;
    const std::string text = json ? json_line(to_json(name, result, joints)) : to_text(name, result, joints);
    lines.add(text);
    write_stdout(text);
  };

  // Networks of one thread each, whatever the number of people and images: no result depends on --threads.
  pm::EstimatorOptions options;
  options.stages = arguments.stages;
  options.tuning = arguments.tuning;
  const pm::Estimator first(model, options);
  if (is_one_image(arguments)) {
    options.threads = boxes.size() > 1 ? arguments.threads : 1;
    pm::Estimator estimator = first.with(options);
    print(arguments.images.front(), estimate_one(estimator, arguments, boxes, context));
    return done;
  }

  const std::vector<std::string> images = pm::share_of<std::string>(all_images, record.shard);
  pm::Workers workers(arguments.threads);
  std::vector<pm::Estimator> estimators(std::size_t(arguments.threads), first);
  Progress progress(context, "estimating");
  pm::Json problems = pm::Json::array();                         // of images without a result
  const std::size_t batch = 4 * std::size_t(arguments.threads);  // images; printed in order after each batch
  for (std::size_t begin = 0; begin < images.size(); begin += batch) {
    context.stop_if_asked();
    std::vector<Result> results(std::min(batch, images.size() - begin));
    workers.for_each(static_cast<int>(results.size()), [&](int index, int slot) {
      Result& result = results[std::size_t(index)];
      try {
        const pm::Image photo = read_photo(images[begin + std::size_t(index)], context);
        result.width = photo.width;
        result.height = photo.height;
        result.poses.push_back(estimators[std::size_t(slot)](photo));
      } catch (const pm::DataError& error) {  // the other images can still be used
        result.problem = error.what();
      }
    });
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i].problem.empty()) {
        print(images[begin + i], results[i]);
      } else {
        complain(results[i].problem);
        problems.push_back({{"position", begin + i}, {"text", results[i].problem}});
      }
    }
    progress.update(static_cast<long long>(begin + results.size()), static_cast<long long>(images.size()));
  }
  const int code = problems.empty() ? done : bad_data;
  if (arguments.shard) {
    record.run = run_of(arguments, model, all_images);
    pm::Json json = to_json(record);
    json["lines"] = lines.text();
    json["problems"] = std::move(problems);
    write_stdout(json_line({{"shard", std::move(json)}}));
  }
  return code;
}

}  // namespace

Command add_estimate(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<EstimateArguments>();
  CLI::App* command = app.add_subcommand("estimate", "The poses of the people in photographs");
  command
      ->add_option("IMAGE", arguments->images,
                   "JPEG or PNG; a folder: its .jpg, .jpeg and .png files, by name; - is standard input")
      ->required();
  command->add_option("--model", arguments->model, "Model file, or a checkpoint of a run; default: the bundled one");
  add_decoder_option(*command, arguments->decoder);
  command
      ->add_option("--box", arguments->boxes,
                   "x,y,width,height of a person in pixels, once for each; default: one person, the whole photo")
      ->allow_extra_args(false);
  command->add_option("--overlay", arguments->overlay, "PNG to write: the photo with the skeletons drawn on it");
  command->add_option("--panel", arguments->panel, "PNG to write: the photo, every joint's heatmap and the pose");
  command->add_flag("--json", arguments->json,
                    "One JSON object: image, width, height, poses with box and keypoints (name, x, y,\n"
                    "score from 0 to 1; x and y are null where a joint is missing)");
  command->add_flag("--ndjson", arguments->ndjson, "The same, a line for each image");
  command
      ->add_option("--shard", arguments->shard,
                   "As in 2/8: the second of eight shares of the images, counted from 1; with --ndjson, whose last\n"
                   "line then says which share it was. posemachine merge makes one result of those of all shares")
      ->option_text("I/N");
  command
      ->add_option("--stages", arguments->stages,
                   "Answer after so many of the network's stages: sooner, and less surely; default: after all")
      ->check(CLI::Range(1, 256));
  command->add_option("--tuning", arguments->tuning, "A file of posemachine tune: sooner, the same but for rounding")
      ->option_text("FILE");
  command
      ->add_option("--threads", arguments->threads, "People or images at a time; the result is the same for any number")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  return {command, [arguments, &context] { return estimate(*arguments, context); }};
}

}  // namespace tool
