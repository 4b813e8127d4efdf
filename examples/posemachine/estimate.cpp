// posemachine estimate: the poses of the people in photographs.
#include "estimate_outputs.hpp"
#include "joint_source.hpp"
#include "network_source.hpp"
#include "shard_record.hpp"
#include "test_time.hpp"
#include "tool.hpp"

#include <posemachine/base/digest.hpp>
#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/base/npy.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/base/shard.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/tensor.hpp>
#include <posemachine/data/box_file.hpp>
#include <posemachine/data/image_folder.hpp>
#include <posemachine/data/image_ids.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/image_kinds.hpp>
#include <posemachine/data/read_frames.hpp>
#include <posemachine/inference/draw_estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/calibration.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/match_joints.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/panel.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/pose/pose_format.hpp>
#include <posemachine/pose/pose_formats.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
  std::string joints;
  bool json = false;
  bool ndjson = false;
  std::string output = "-";
  std::string image_ids;
  std::string overlay;
  std::string panel;
  std::string heatmaps;
  std::string output_maps;
  std::optional<double> threshold;
  std::string boxes_file;
  std::int64_t box_category = 1;
  double box_threshold = 0;
  std::optional<std::string> shard;
  int threads = default_threads();
  int stages = 0;
  std::string tuning;
  TestTimeArguments test_time;
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
  // Ranges of numbers hold back all others.
  refuse_if(arguments.threshold && std::isnan(*arguments.threshold), "--threshold", "a score from 0 to 1", "nan");
  refuse_if(std::isnan(arguments.box_threshold), "--box-threshold", "a score from 0 to 1", "nan");
  const std::string got = shard ? "a share of several" : arguments.images.size() > 1 ? "several" : "a folder";
  const std::string name(format.name);
  refuse_if(several && format.one_image && arguments.output == "-", arguments.json ? "--json" : "--format " + name,
            "one image", got, "use --ndjson: a line for each, or --output DIR: a file for each");
  refuse_if(several && !arguments.boxes.empty(), "--box", "one image", got, "boxes belong to one image");
  const bool has_file = !arguments.boxes_file.empty();
  refuse_if(has_file && !arguments.boxes.empty(), "--boxes", "either --box or --boxes", "both");
  refuse_if(!has_file && arguments.box_threshold > 0, "--box-threshold", "--boxes FILE.json", "no such file");
  refuse_if(!has_file && arguments.box_category != 1, "--box-category", "--boxes FILE.json", "no such file");
  refuse_if(shard && name != "ndjson", "--shard", "--ndjson", name, "posemachine merge puts lines of JSON together");
  const bool shows = format.for_people || !arguments.overlay.empty() || !arguments.panel.empty();
  refuse_if(arguments.threshold && !shows, "--threshold", "text, --overlay or --panel", "--format " + name + " alone",
            "data keep every joint with its score");
  refuse_if(arguments.boxes.size() > 1 && !arguments.panel.empty(), "--panel", "one person", "several boxes");
  refuse_if(arguments.boxes.size() > 1 && !arguments.heatmaps.empty(), "--heatmaps", "one person", "several boxes");
  refuse_if(arguments.boxes.size() > 1 && !arguments.output_maps.empty(), "--output-maps", "one person",
            "several boxes");
  refuse_if(arguments.output_maps == "-", "--output-maps", "a folder", "stdout (-)");
  const auto standard_inputs = std::count(arguments.images.begin(), arguments.images.end(), "-");
  refuse_if(standard_inputs > 1, "IMAGE", "standard input (-) once", "twice");
  refuse_if(standard_inputs > 0 && shard, "--shard", "files, which every share can read", "standard input (-)");
  const std::string* const pictures[]{&arguments.overlay, &arguments.panel, &arguments.heatmaps};
  const auto on_stdout =
      std::count_if(std::begin(pictures), std::end(pictures), [](auto* path) { return *path == "-"; });
  refuse_if(on_stdout > 1, "--panel", "one picture on stdout", std::to_string(on_stdout));
  refuse_if(on_stdout > 0 && name != "text" && arguments.output == "-", "--" + name, "one result on stdout",
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

// Photographs with the frames that the model is fed: in their colours, even where the network sees luma; 16 bits for
// networks that want them.
class PhotoReader {
 public:
  explicit PhotoReader(const pm::ModelSpec& spec)
      : frames_(spec.frames),
        kind_(spec.bit_depth == 16 ? pm::PixelKind::grey16 : pm::PixelKind::rgb8),
        reader_(frames_, kind_, limits_) {}

  // A picture from standard input has no neighbours, as a lone file: it is all frames.
  pm::FrameImages read(const std::string& path, const Context& context) const {
    if (path != "-") return reader_(path);
    const std::string bytes = read_standard_input(context, limits_.max_file_bytes);
    const std::span<const std::byte> data = std::as_bytes(std::span(bytes.data(), bytes.size()));
    return {pm::decode_image_as(kind_, data, "standard input", limits_), frames_};
  }

 private:
  pm::ImageLimits limits_;
  std::vector<int> frames_;
  pm::PixelKind kind_;
  pm::FrameReader reader_;
};

// Of one image: poses, or why there are none.
struct Result {
  pm::ImagePoses found;
  std::string problem;
};

// Where everything goes.
struct Places {
  OutputPlace poses;
  OutputPlace overlay;
  OutputPlace panel;
  OutputPlace heatmaps;
  std::map<std::string, OutputPlace> output_maps{};  // by the output's name

  std::vector<const OutputPlace*> all() const {
    std::vector<const OutputPlace*> places{&poses, &overlay, &panel, &heatmaps};
    for (const auto& [name, place] : output_maps) places.push_back(&place);
    return places;
  }
};

// PNG on stdout, elsewhere what the name says.
void write_picture(const OutputPlace& place, const std::string& name, const pm::Image& image) {
  if (place.on_stdout()) {
    write_stdout(pm::encode_png(image));
  } else {
    pm::write_image(place.file(name), image);
  }
}

void write_heatmaps(const OutputPlace& place, const std::string& name, const pm::Tensor& maps) {
  if (place.on_stdout()) {
    write_stdout(pm::npy_bytes(maps));
  } else {
    pm::write_file_atomically(place.file(name), pm::npy_bytes(maps));
  }
}

// The people of an image: one, found by the whole image, or those in the boxes.
struct People {
  bool whole_image = true;
  std::vector<pm::Box> boxes;
};

// Whether a whole image shows a person: its score is that of nearly all people of the model's calibration, or above. None
// where that cannot be judged: calibrations know one scale alone.
std::optional<bool> shows_person(const pm::ImagePoses& image, const People& people, const pm::Estimator& estimator) {
  const std::optional<pm::Calibration>& calibration = estimator.model().spec().calibration;
  if (!people.whole_image || !calibration || calibration->person <= 0 ||
      estimator.options().scales != std::vector<double>{1})
    return std::nullopt;
  return pm::mean_score(image.poses.front()) >= calibration->person;
}

void warn_of_nobody(const pm::ImagePoses& image, const pm::Calibration& calibration, const Context& context) {
  context.warn(
      image.image + ": nothing like a person was found: " +
      format("the score is %.2f, 99 of 100 people have %.2f or more; where there is somebody, give the box (--box)",
             pm::mean_score(image.poses.front()), calibration.person));
}

// Of one photograph: its poses, and what is to be drawn of it.
pm::ImagePoses estimate_one(pm::Estimator& estimator, const PhotoReader& reader, const EstimateArguments& arguments,
                            const Places& places, const std::string& name, const People& people,
                            const Context& context) {
  const pm::ModelSpec& spec = estimator.model().spec();
  const pm::FrameImages read = reader.read(name, context);
  const pm::ImageView photo = read.current();
  context.stop_if_asked();
  pm::PanelOptions drawing;
  if (arguments.threshold) drawing.pose.min_score = *arguments.threshold;
  pm::ImagePoses result{.image = name, .width = photo.width(), .height = photo.height(), .poses = {}};
  if (people.whole_image || people.boxes.size() == 1) {
    const pm::Estimate estimate = estimator.estimate_stages(
        read.views(), people.whole_image ? std::nullopt : std::optional(people.boxes.front()));
    result.poses.push_back(estimate.pose);
    if (places.panel.wanted()) {
      const std::size_t last = estimate.stages.size() - 1;
      write_picture(places.panel, name, pm::draw_stage(photo, estimate, last, spec, drawing));
    }
    if (places.heatmaps.wanted()) write_heatmaps(places.heatmaps, name, estimate.stages.back().maps);
    for (const pm::OutputEstimate& output : estimate.outputs) {
      const auto place = places.output_maps.find(output.name);
      if (place != places.output_maps.end()) write_heatmaps(place->second, name, output.maps);
    }
  } else {
    result.poses = estimator(read.views(), people.boxes);
  }
  result.shows_person = shows_person(result, people, estimator);
  if (places.overlay.wanted()) {
    pm::Image picture = pm::displayable(photo);
    if (result.shows_person != false) {
      for (const pm::Pose& pose : result.poses) pm::draw_pose(picture, pose, spec.joints, drawing.pose);
    }
    write_picture(places.overlay, name, picture);
  }
  return result;
}

// The same, where boxes come from a file: one that is not on its image is bad data, as the image may be the wrong one.
pm::ImagePoses estimate_in_file_boxes(pm::Estimator& estimator, const PhotoReader& reader,
                                      const EstimateArguments& arguments, const Places& places, const std::string& name,
                                      const People& people, const Context& context) {
  try {
    return estimate_one(estimator, reader, arguments, places, name, people, context);
  } catch (const pm::UsageError& error) {
    throw pm::DataError(arguments.boxes_file + ": " + name + ": " + error.what());
  }
}

// As people are to read them: keypoints below the threshold are not found.
void leave_out_weak(pm::ImagePoses& image, double threshold) {
  for (pm::Pose& pose : image.poses) {
    for (pm::Keypoint& keypoint : pose.keypoints) {
      if (keypoint.score < threshold) keypoint = {};
    }
  }
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

// The image_id of each image; zeros where nothing needs them. `known`: where --image-ids does not say them.
// Errors: UsageError where two images have the same one.
std::vector<std::int64_t> ids_of(const EstimateArguments& arguments, const pm::PoseFormat& format,
                                 const std::vector<std::string>& names, pm::ImageIds known) {
  std::vector<std::int64_t> ids(names.size(), 0);
  if (!format.needs_id && arguments.boxes_file.empty()) {
    refuse_if(!arguments.image_ids.empty(), "--image-ids", "--format coco, or --boxes FILE.json",
              "--format " + std::string(format.name));
    return ids;
  }
  if (!arguments.image_ids.empty()) known = pm::read_image_ids(arguments.image_ids);
  std::map<std::int64_t, std::string> taken;
  for (std::size_t i = 0; i < names.size(); ++i) {
    ids[i] = known.of(names[i]);
    const auto [other, is_free] = taken.emplace(ids[i], names[i]);
    refuse_if(!is_free, names[i], "an image_id of its own", std::to_string(ids[i]) + ", as " + other->second + " has",
              "give a COCO annotation that lists the images (--image-ids FILE.json)");
  }
  return ids;
}

// The people of each image. Without a file, the boxes are those of the one image.
std::vector<People> people_of(const EstimateArguments& arguments, const pm::BoxFile& file,
                              const std::vector<std::int64_t>& ids, const Context& context) {
  std::vector<People> people(ids.size());
  if (arguments.boxes_file.empty()) {
    for (const std::string& text : arguments.boxes) people.front().boxes.push_back(parse_box(text));
    for (People& each : people) each.whole_image = each.boxes.empty();
    return people;
  }
  const std::string one_person = !arguments.panel.empty()         ? "--panel"
                                 : !arguments.heatmaps.empty()    ? "--heatmaps"
                                 : !arguments.output_maps.empty() ? "--output-maps"
                                                                  : "";
  bool any = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    people[i].whole_image = false;
    const auto found = file.boxes.find(ids[i]);
    if (found == file.boxes.end()) continue;
    any = true;
    people[i].boxes = found->second;
    refuse_if(!one_person.empty() && people[i].boxes.size() > 1, one_person, "one person per image",
              std::to_string(people[i].boxes.size()) + " boxes of image_id " + std::to_string(ids[i]));
  }
  if (!any) context.warn(arguments.boxes_file + ": no box is of any of these images: they have no poses");
  return people;
}

// Errors: UsageError for places that cannot be, and for a picture's file with an ending that is no picture's.
Places places_of(const EstimateArguments& arguments, const pm::PoseFormat& format) {
  const bool several = !is_one_image(arguments);
  const bool stdout_is_taken = arguments.overlay == "-" || arguments.panel == "-" || arguments.heatmaps == "-";
  Places places;
  if (arguments.output != "-" || !stdout_is_taken) {
    places.poses = OutputPlace("--output", arguments.output, format.one_image && several,
                               [ending = std::string(format.file_ending)](const std::filesystem::path& image) {
                                 return stem_of(image) + ending;
                               });
  }
  refuse_if(arguments.shard && places.poses.is_folder(), "--shard", "a file, or stdout", "a folder",
            "posemachine merge puts files of lines together");
  const auto picture = [&](const char* option, const std::string& path) {
    if (path.empty()) return OutputPlace();
    OutputPlace place(option, path, several, [](const std::filesystem::path& image) {
      return stem_of(image) + (pm::is_picture_name(image) ? image.extension().string() : ".png");
    });
    if (!place.on_stdout() && !place.is_folder()) pm::format_by_name(path);
    return place;
  };
  places.overlay = picture("--overlay", arguments.overlay);
  places.panel = picture("--panel", arguments.panel);
  if (!arguments.heatmaps.empty()) {
    places.heatmaps = OutputPlace("--heatmaps", arguments.heatmaps, several,
                                  [](const std::filesystem::path& image) { return stem_of(image) + ".npy"; });
  }
  return places;
}

// A folder's file for every output besides the heatmaps. Errors: UsageError where the model has none.
std::map<std::string, OutputPlace> output_maps_of(const EstimateArguments& arguments, const pm::ModelSpec& spec) {
  std::map<std::string, OutputPlace> places;
  if (arguments.output_maps.empty()) return places;
  refuse_if(spec.outputs.empty(), "--output-maps", "a model with outputs besides the heatmaps", "one without");
  for (const pm::OutputSpec& output : spec.outputs) {
    std::string name = output.name;
    std::replace(name.begin(), name.end(), '/', '_');
    places[output.name] =
        OutputPlace("--output-maps", arguments.output_maps + "/", true,
                    [name](const std::filesystem::path& image) { return stem_of(image) + "." + name + ".npy"; });
  }
  return places;
}

pm::JointSet written_joints(const std::string& joints) {
  return pm::joint_set_from_some_json(joints_json(joints), joints);
}

// What all shares of the images have in common.
pm::Json run_of(const EstimateArguments& arguments, const pm::Model& model, const pm::EstimatorOptions& options,
                const std::vector<std::string>& names, const std::vector<People>& people) {
  pm::Digest digest;
  for (const std::string& name : names) digest.add(name.c_str(), name.size() + 1);
  pm::Json run{{"command", "estimate"},
               {"network", model.network()},
               {"model", model_digest(model)},
               {"stages", arguments.stages},
               {"images", {{"count", names.size()}, {"digest", digest.text()}}}};
  const pm::Json chosen = test_time_to_json(options);
  if (!chosen.empty()) run["test_time"] = chosen.dump();
  if (!arguments.joints.empty()) run["joints"] = written_joints(arguments.joints).joints;
  if (arguments.boxes_file.empty()) return run;
  pm::Digest boxes;
  for (const People& each : people) {
    const std::uint64_t count = each.boxes.size();
    boxes.add(&count, sizeof count);
    boxes.add(each.boxes.data(), each.boxes.size() * sizeof(pm::Box));
  }
  run["boxes"] = boxes.text();
  return run;
}

int estimate(const EstimateArguments& arguments, const Context& context) {
  const pm::PoseFormat& format = context.pose_formats.get(format_name(arguments), "--format");
  check_arguments(arguments, format);
  pm::EstimatorOptions options;
  apply(arguments.test_time, options);
  ShardRecord record;
  if (arguments.shard) record.shard = pm::parse_shard(*arguments.shard);
  Places places = places_of(arguments, format);
  const std::vector<std::string> all_images = image_names(arguments);
  const std::vector<std::string> inputs{arguments.model, arguments.boxes_file, arguments.image_ids, arguments.tuning};
  check_places(places.all(), all_images, inputs);
  pm::BoxFile box_file;
  if (!arguments.boxes_file.empty()) {
    box_file = pm::read_boxes(arguments.boxes_file, {arguments.box_category, arguments.box_threshold});
  }
  const std::vector<std::int64_t> all_ids = ids_of(arguments, format, all_images, box_file.ids);
  const std::vector<People> all_people = people_of(arguments, box_file, all_ids, context);
  const std::string path = arguments.model.empty() ? bundled_model().string() : arguments.model;
  const pm::Model model = with_decoder(pm::load_trained(path, context.ops), arguments.decoder);
  places.output_maps = output_maps_of(arguments, model.spec());
  check_places(places.all(), all_images, inputs);
  for (const OutputPlace* place : places.all()) place->prepare();

  // Networks of one thread each, whatever the number of people and images: no result depends on --threads.
  const bool one = is_one_image(arguments);
  options.stages = arguments.stages;
  options.tuning = arguments.tuning;
  options.threads = one && all_people.front().boxes.size() > 1 ? arguments.threads : 1;
  const int images_at_a_time = one ? 1 : arguments.threads;
  std::vector<pm::Estimator> estimators(std::size_t(images_at_a_time), pm::Estimator(model, options));
  const std::vector<std::string> images = pm::share_of<std::string>(all_images, record.shard);
  const std::vector<std::int64_t> ids = pm::share_of<std::int64_t>(all_ids, record.shard);
  const std::vector<People> people = pm::share_of<People>(all_people, record.shard);
  const PhotoReader reader(model.spec());
  const auto estimate_image = arguments.boxes_file.empty() ? estimate_one : estimate_in_file_boxes;

  const pm::JointSet& joints = model.spec().joints;
  const pm::JointSet written = arguments.joints.empty() ? joints : written_joints(arguments.joints);
  const std::vector<int> matched = pm::match_joints(joints, written);
  PoseOutput output(format, written, places.poses);
  pm::Digest lines;
  pm::Json problems = pm::Json::array();  // of images without a result
  const auto take = [&](std::size_t position, Result& result) {
    if (result.problem.empty()) {
      result.found.id = ids[position];
      if (result.found.shows_person == false) warn_of_nobody(result.found, *model.spec().calibration, context);
      for (pm::Pose& pose : result.found.poses) pose = pm::with_keypoints(pose, matched);
      if (format.for_people && arguments.threshold) leave_out_weak(result.found, *arguments.threshold);
      lines.add(output.next(result.found));
    } else {
      complain(result.problem);
      problems.push_back({{"position", position}, {"text", result.problem}});
    }
  };
  if (one) {
    Result result{
        estimate_image(estimators.front(), reader, arguments, places, images.front(), people.front(), context), ""};
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
      const std::size_t at = begin + std::size_t(index);
      try {
        result.found =
            estimate_image(estimators[std::size_t(slot)], reader, arguments, places, images[at], people[at], context);
      } catch (const pm::DataError& error) {  // the other images can still be used
        result.problem = error.what();
      }
    });
    for (std::size_t i = 0; i < results.size(); ++i) take(begin + i, results[i]);
    progress.update(static_cast<long long>(begin + results.size()), static_cast<long long>(images.size()));
  }
  std::string last;
  if (arguments.shard) {
    record.run = run_of(arguments, model, options, all_images, all_people);
    pm::Json json = to_json(record);
    json["lines"] = lines.text();
    json["problems"] = problems;
    last = json_line({{"shard", std::move(json)}});
  }
  output.end(last);
  return problems.empty() ? done : bad_data;
}

std::string format_help(const pm::PoseFormats& formats) {
  std::string text = "How poses are written; default: text";
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
      ->add_option(
          "IMAGE", arguments->images,
          "JPEG or PNG; a folder: its .jpg, .jpeg and .png files, frame_2 before frame_10; - is standard input.\n"
          "A model of several frames finds the others beside each image, frame_9 beside frame_10; one that stands\n"
          "alone, or comes from standard input, is all frames")
      ->required();
  command->add_option("--model", arguments->model, "Model file, or a checkpoint of a run; default: the bundled one");
  add_decoder_option(*command, arguments->decoder);
  add_test_time_options(*command, arguments->test_time);
  command
      ->add_option("--box", arguments->boxes,
                   "x,y,width,height of a person in pixels, once for each; default: one person, the whole photo")
      ->allow_extra_args(false);
  command
      ->add_option("--boxes", arguments->boxes_file,
                   "The boxes of all images: COCO results, a list of image_id, category_id, bbox and score, or a COCO\n"
                   "annotation. Images are told as by --format coco, or by an annotation's file_name; one without\n"
                   "boxes has no poses")
      ->option_text("FILE.json");
  command
      ->add_option("--box-category", arguments->box_category,
                   "The category_id of the boxes to take from --boxes; default: 1, COCO's person")
      ->option_text("ID");
  command->add_option("--box-threshold", arguments->box_threshold, "The least score of a box of --boxes; default: 0")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("SCORE");
  command->add_option("--format", arguments->format, format_help(context.pose_formats))->option_text("NAME");
  command
      ->add_option(
          "--joints", arguments->joints,
          "Write the keypoints of another joint set, in its order, matched by names: " + joint_set_names() +
              "\n(OpenPose's), or a file with a list of names; those that the model lacks are missing. Default: the\n"
              "model's")
      ->option_text("NAME|FILE.json");
  command->add_flag("--json", arguments->json, "--format json, in which x and y of a missing joint are null");
  command->add_flag("--ndjson", arguments->ndjson, "--format ndjson");
  command
      ->add_option("-o,--output", arguments->output,
                   "Where the poses go: a file, whole or not at all; a folder (one that is there, or a name that\n"
                   "ends in /) for a file per image, which several images as json or openpose need; default: -, stdout")
      ->option_text("FILE|DIR");
  command
      ->add_option("--image-ids", arguments->image_ids,
                   "With --format coco or --boxes: a COCO annotation whose images (id, file_name) say each image_id;\n"
                   "default: the number at the end of the image's name, 139 of 000000000139.jpg")
      ->option_text("FILE.json");
  command
      ->add_option(
          "--overlay", arguments->overlay,
          "The photo with the skeletons drawn on it, .png or .jpg as the file's name says; of several images a\n"
          "folder of pictures with the photos' names; - is stdout, as PNG")
      ->option_text("FILE|DIR");
  command
      ->add_option("--panel", arguments->panel,
                   "A picture of the photo, every joint's heatmap and the pose; files as of --overlay")
      ->option_text("FILE|DIR");
  command
      ->add_option("--heatmaps", arguments->heatmaps,
                   "The last stage's maps for NumPy: float32 (joints + 1, height, width), background last; of several\n"
                   "images a folder of STEM.npy")
      ->option_text("FILE.npy|DIR");
  command
      ->add_option("--output-maps", arguments->output_maps,
                   "A folder for the maps of all other outputs for NumPy: STEM.OUTPUT.npy, float32 (channels, height,\n"
                   "width)")
      ->option_text("DIR");
  command
      ->add_option(
          "--threshold", arguments->threshold,
          "The least score of a joint that is drawn, and in text of one that is found; all other formats have\n"
          "every joint with its score. Default: 0.1 in pictures, 0 in text")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("SCORE");
  command
      ->add_option("--shard", arguments->shard,
                   "As in 2/8: the second of eight shares of the images, counted from 1; with --ndjson, whose last\n"
                   "line then says which share it was. posemachine merge makes one result of those of all shares")
      ->option_text("I/N");
  command
      ->add_option("--stages", arguments->stages,
                   "Stop after so many stages: faster, less accurate; default: after all")
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
