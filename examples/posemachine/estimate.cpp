// posemachine estimate: the poses of the people in photographs.
#include "estimate_outputs.hpp"
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
#include <posemachine/data/image_ids.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/meaning.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>
#include <posemachine/pose/pose_formats.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
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
  std::string format;
  bool json = false;
  bool ndjson = false;
  std::string output = "-";
  std::string image_ids;
  std::string overlay;
  std::string panel;
  std::optional<std::string> shard;
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

void refuse_if(bool wrong, const std::string& where, const std::string& expected, const std::string& got,
               const std::string& remedy = "") {
  if (wrong) pm::fail<pm::UsageError>({.where = where, .expected = expected, .got = got, .remedy = remedy});
}

// The name of the format, under whichever option.
std::string format_name(const EstimateArguments& arguments) {
  refuse_if(arguments.json && arguments.ndjson, "--json", "one of --json and --ndjson", "both");
  const std::string short_form = arguments.json ? "json" : arguments.ndjson ? "ndjson" : "";
  if (short_form.empty()) return arguments.format.empty() ? "text" : arguments.format;
  refuse_if(!arguments.format.empty() && arguments.format != short_form, "--" + short_form, "one format",
            "--format " + arguments.format + ", too");
  return short_form;
}

void check_arguments(const EstimateArguments& arguments, const pm::PoseFormat& format) {
  const bool several = !is_one_image(arguments);
  const bool shard = arguments.shard.has_value();
  const std::string got = shard ? "a share of several" : arguments.images.size() > 1 ? "several" : "a folder";
  const std::string name(format.name);
  refuse_if(several && format.one_image && arguments.output == "-", arguments.json ? "--json" : "--format " + name,
            "one image", got, "use --ndjson: a line for each, or --output DIR: a file for each");
  refuse_if(several && !arguments.boxes.empty(), "--box", "one image", got, "boxes belong to one image");
  refuse_if(several && !arguments.overlay.empty(), "--overlay", "one image", got);
  refuse_if(several && !arguments.panel.empty(), "--panel", "one image", got);
  refuse_if(shard && name != "ndjson", "--shard", "--ndjson", name, "posemachine merge puts lines of JSON together");
  refuse_if(arguments.boxes.size() > 1 && !arguments.panel.empty(), "--panel", "one person", "several boxes");
  const auto standard_inputs = std::count(arguments.images.begin(), arguments.images.end(), "-");
  refuse_if(standard_inputs > 1, "IMAGE", "standard input (-) once", "twice");
  refuse_if(standard_inputs > 0 && shard, "--shard", "files, which every share can read", "standard input (-)");
  refuse_if(arguments.overlay == "-" && arguments.panel == "-", "--panel", "one picture on stdout", "two");
  const bool picture = arguments.overlay == "-" || arguments.panel == "-";
  refuse_if(picture && name != "text" && arguments.output == "-", "--" + name, "one result on stdout",
            "a picture, too");
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

// Of one image: poses, or why there are none.
struct Result {
  pm::ImagePoses found;
  std::string problem;
};

void write_picture(const std::string& path, const pm::Image& image) {
  if (path == "-") {
    write_stdout(pm::encode_png(image));
  } else {
    pm::write_png(path, image);
  }
}

// Of one photograph: its poses, and what is to be drawn of it.
pm::ImagePoses estimate_one(pm::Estimator& estimator, const EstimateArguments& arguments, const std::string& name,
                            std::span<const pm::Box> boxes, const Context& context) {
  const pm::Image photo = read_photo(name, context);
  context.stop_if_asked();
  pm::ImagePoses result{name, photo.width, photo.height, 0, {}};
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

// The image_id of each image, zeros where the format needs none. Errors: UsageError where two images have the same one.
std::vector<std::int64_t> ids_of(const EstimateArguments& arguments, const pm::PoseFormat& format,
                                 const std::vector<std::string>& names) {
  std::vector<std::int64_t> ids(names.size(), 0);
  if (!format.needs_id) {
    refuse_if(!arguments.image_ids.empty(), "--image-ids", "a format with ids, as --format coco",
              std::string(format.name));
    return ids;
  }
  const pm::ImageIds known = arguments.image_ids.empty() ? pm::ImageIds() : pm::read_image_ids(arguments.image_ids);
  std::map<std::int64_t, std::string> taken;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ids[i] = known.of(names[i]);
    const auto [other, is_free] = taken.emplace(ids[i], names[i]);
    refuse_if(!is_free, names[i], "an image_id of its own", std::to_string(ids[i]) + ", as " + other->second + " has",
              "give a COCO annotation that lists the images (--image-ids FILE.json)");
  }
  return ids;
}

OutputPlace poses_place(const EstimateArguments& arguments, const pm::PoseFormat& format) {
  const bool picture_on_stdout = arguments.overlay == "-" || arguments.panel == "-";
  if (picture_on_stdout && arguments.output == "-") return {};
  const bool several_files = format.one_image && !is_one_image(arguments);
  OutputPlace place("--output", arguments.output, several_files,
                    [ending = std::string(format.file_ending)](const std::filesystem::path& image) {
                      return stem_of(image) + ending;
                    });
  refuse_if(arguments.shard && place.is_folder(), "--shard", "a file, or stdout", "a folder",
            "posemachine merge puts files of lines together");
  return place;
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
  const pm::PoseFormat& format = context.pose_formats.get(format_name(arguments), "--format");
  check_arguments(arguments, format);
  ShardRecord record;
  if (arguments.shard) record.shard = pm::parse_shard(*arguments.shard);
  std::vector<pm::Box> boxes;
  for (const std::string& text : arguments.boxes) boxes.push_back(parse_box(text));
  const OutputPlace place = poses_place(arguments, format);
  const std::vector<std::string> all_images = image_names(arguments);
  check_places({&place}, all_images);
  const std::vector<std::int64_t> all_ids = ids_of(arguments, format, all_images);
  const std::string path = arguments.model.empty() ? bundled_model().string() : arguments.model;
  const pm::Model model = with_decoder(pm::load_trained(path, context.ops), arguments.decoder);
  place.prepare();

  // Networks of one thread each, whatever the number of people and images: no result depends on --threads.
  const bool one = is_one_image(arguments);
  pm::EstimatorOptions options;
  options.stages = arguments.stages;
  options.tuning = arguments.tuning;
  options.threads = one && boxes.size() > 1 ? arguments.threads : 1;
  const int images_at_a_time = one ? 1 : arguments.threads;
  std::vector<pm::Estimator> estimators(std::size_t(images_at_a_time), pm::Estimator(model, options));
  const std::vector<std::string> images = pm::share_of<std::string>(all_images, record.shard);
  const std::vector<std::int64_t> ids = pm::share_of<std::int64_t>(all_ids, record.shard);

  PoseOutput output(format, model.meaning().joints, place);
  pm::Digest lines;
  pm::Json problems = pm::Json::array();  // of images without a result
  const auto take = [&](std::size_t position, Result& result) {
    if (result.problem.empty()) {
      result.found.id = ids[position];
      lines.add(output.next(result.found));
    } else {
      complain(result.problem);
      problems.push_back({{"position", position}, {"text", result.problem}});
    }
  };
  if (one) {
    Result result{estimate_one(estimators.front(), arguments, images.front(), boxes, context), ""};
    output.begin();
    take(0, result);
    output.end();
    return done;
  }

  output.begin();
  pm::Workers workers(images_at_a_time);
  Progress progress(context, "estimating");
  const std::size_t batch = 4 * std::size_t(images_at_a_time);  // images; written in order after each batch
  for (std::size_t begin = 0; begin < images.size(); begin += batch) {
    context.stop_if_asked();
    std::vector<Result> results(std::min(batch, images.size() - begin));
    workers.for_each(static_cast<int>(results.size()), [&](int index, int slot) {
      Result& result = results[std::size_t(index)];
      const std::string& name = images[begin + std::size_t(index)];
      try {
        result.found = estimate_one(estimators[std::size_t(slot)], arguments, name, {}, context);
      } catch (const pm::DataError& error) {  // the other images can still be used
        result.problem = error.what();
      }
    });
    for (std::size_t i = 0; i < results.size(); ++i) take(begin + i, results[i]);
    progress.update(static_cast<long long>(begin + results.size()), static_cast<long long>(images.size()));
  }
  std::string last;
  if (arguments.shard) {
    record.run = run_of(arguments, model, all_images);
    pm::Json json = to_json(record);
    json["lines"] = lines.text();
    json["problems"] = problems;
    last = json_line({{"shard", std::move(json)}});
  }
  output.end(last);
  return problems.empty() ? done : bad_data;
}

std::string format_help(const pm::PoseFormats& formats) {
  std::string text = "How poses are written:";
  for (const pm::PoseFormat& format : formats.all()) {
    text += "\n" + std::string(format.name) + ": " + std::string(format.does);
  }
  return text;
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
  command->add_option("--format", arguments->format, format_help(context.pose_formats))
      ->option_text("NAME")
      ->default_str("text");
  command->add_flag("--json", arguments->json, "--format json, in which x and y of a missing joint are null");
  command->add_flag("--ndjson", arguments->ndjson, "--format ndjson");
  command
      ->add_option("-o,--output", arguments->output,
                   "Where the poses go: a file, whole or not at all; a folder (one that is there, or a name that\n"
                   "ends in /) for a file per image, which several images as json or openpose need; - is stdout")
      ->option_text("FILE|DIR")
      ->capture_default_str();
  command
      ->add_option(
          "--image-ids", arguments->image_ids,
          "With --format coco: a COCO annotation whose images (id, file_name) say each image_id; default: the\n"
          "number at the end of the image's name, 139 of 000000000139.jpg")
      ->option_text("FILE.json");
  command->add_option("--overlay", arguments->overlay, "PNG to write: the photo with the skeletons drawn on it");
  command->add_option("--panel", arguments->panel, "PNG to write: the photo, every joint's heatmap and the pose");
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
