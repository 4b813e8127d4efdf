// posemachine dataset: annotated people looked at, counted, drawn and written in other formats.
#include "joint_source.hpp"
#include "left_out.hpp"
#include "tool.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/base/parallel.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/inspect_data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/pose/draw_pose.hpp>
#include <posemachine/pose/joint_names.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/model_spec_json.hpp>
#include <posemachine/pose/pose.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct DatasetArguments {
  std::string data;
  std::string images;
  std::string joints;
  std::string to;
  std::string output;
  std::string frames;
  bool allow_missing = false;
  bool json = false;
  bool problems = false;
  bool force = false;
  int count = 20;
  int threads = default_threads();
};

using Images = std::map<std::filesystem::path, pm::ImageFacts>;

// The people of the data; those on absent images are left out where that is allowed. Where they are to be found, they
// stay unless that was asked for.
pm::Annotations read(const DatasetArguments& arguments, const Context& context, bool finds_absent = false) {
  const pm::DataSource source = context.data_sets.parse(arguments.data);
  pm::Annotations annotations = context.data_sets.read(
      source, {.images = arguments.images, .allow_missing = arguments.allow_missing || finds_absent});
  if (arguments.allow_missing) {
    const std::set<std::filesystem::path> absent = warn_of_absent(annotations.people, context);
    std::erase_if(annotations.people, [&](const pm::Person& person) { return absent.contains(person.image); });
  }
  if (arguments.joints.empty()) return annotations;
  const pm::JointSet joints = pm::joint_set_from_some_json(joints_json(arguments.joints), arguments.joints);
  annotations.people = pm::people_with_joints(annotations, joints, pm::to_string(source));
  annotations.joints = joints;
  return annotations;
}

Images inspect(const pm::Annotations& annotations, const DatasetArguments& arguments, const Context& context) {
  Progress progress(context, "reading images");
  return pm::inspect_images(annotations.people,
                            {.threads = arguments.threads, .limits = {}, .progress = [&](int done_count, int count) {
                               context.stop_if_asked();
                               progress.update(done_count, count);
                             }});
}

// How many findings there are of each kind.
std::map<std::string, int> counts_of(const std::vector<pm::Finding>& findings) {
  std::map<std::string, int> counts;
  for (const pm::Finding& finding : findings) ++counts[finding.kind];
  return counts;
}

int check(const DatasetArguments& arguments, const Context& context) {
  std::vector<int> frames{0};
  if (!arguments.frames.empty()) {
    frames =
        pm::frames_from_json<pm::UsageError>(pm::parse_json<pm::UsageError>(arguments.frames, "--frames"), "--frames");
  }
  const pm::Annotations annotations = read(arguments, context, true);
  const Images images = inspect(annotations, arguments, context);
  std::vector<pm::Finding> findings = pm::find_problems(annotations, images);
  for (pm::Finding& finding : pm::find_frame_problems(annotations, images, frames)) {
    findings.push_back(std::move(finding));
  }
  const int code = findings.empty() ? done : bad_data;
  if (arguments.json) {
    pm::Json json = {{"people", annotations.people.size()},
                     {"images", images.size()},
                     {"counts", counts_of(findings)},
                     {"left_out", left_out_to_json(annotations)},
                     {"findings", pm::Json::array()}};
    for (const pm::Finding& finding : findings) {
      pm::Json entry = {{"kind", finding.kind}, {"text", finding.text}};
      if (finding.person) {
        const pm::Person& person = annotations.people[*finding.person];
        entry.update({{"image", person.image.string()}, {"number", person.number}});
      }
      json["findings"].push_back(std::move(entry));
    }
    write_stdout(json_line(json));
    return code;
  }
  std::string text;
  for (const pm::Finding& finding : findings) text += finding.kind + ": " + finding.text + "\n";
  if (!findings.empty()) text += "\n";
  text += format("%s people in %s images", thousands(static_cast<long long>(annotations.people.size())).c_str(),
                 thousands(static_cast<long long>(images.size())).c_str());
  if (findings.empty()) {
    text += ": nothing found\n";
  } else {
    text += "\n";
    for (const auto& [kind, count] : counts_of(findings)) {
      text += format("%8s  %s\n", thousands(count).c_str(), kind.c_str());
    }
  }
  const std::string left_out = left_out_words(annotations);
  if (!left_out.empty()) text += "left out: " + left_out + "\n";
  write_stdout(text);
  return code;
}

pm::Json to_json(const pm::Spread& spread) {
  return {{"least", spread.least}, {"median", spread.median}, {"most", spread.most}};
}

pm::Json to_json(const pm::DataSetStatistics& statistics) {
  pm::Json joints = pm::Json::array();
  for (const pm::JointStatistics& joint : statistics.joints) {
    joints.push_back({{"name", joint.name},
                      {"visible", joint.visible},
                      {"occluded", joint.occluded},
                      {"outside", joint.outside},
                      {"unlabelled", joint.unlabelled}});
  }
  return {{"images", statistics.images},
          {"damaged_images", statistics.damaged},
          {"images_of_16_bits", statistics.images_of_16_bits},
          {"people", statistics.people},
          {"people_with_box", statistics.boxes},
          {"people_with_head_length", statistics.head_lengths},
          {"people_with_area", statistics.areas},
          {"images_by_people", statistics.people_per_image},
          {"image_width", to_json(statistics.width)},
          {"image_height", to_json(statistics.height)},
          {"person_side", to_json(statistics.person_side)},
          {"labelled_joints", to_json(statistics.labelled)},
          {"joints", std::move(joints)}};
}

std::string to_text(const pm::DataSetStatistics& statistics, const pm::JointSet& joints) {
  const auto spread = [](const char* name, const pm::Spread& values) {
    return format("%-34s %9.0f %9.0f %9.0f\n", name, values.least, values.median, values.most);
  };
  std::string text = format("%d people in %d images, %zu joints (%s)\n", statistics.people, statistics.images,
                            joints.joints.size(), joints.name.c_str());
  if (statistics.damaged > 0) text += format("%d images are damaged\n", statistics.damaged);
  if (statistics.images_of_16_bits > 0) text += format("%d images are of 16 bits\n", statistics.images_of_16_bits);
  text += format("%d people have a box, %d a head length, %d an area\n", statistics.boxes, statistics.head_lengths,
                 statistics.areas);
  for (std::size_t i = 0; i < statistics.people_per_image.size(); ++i) {
    const int count = statistics.people_per_image[i];
    if (count > 0) text += format("%d images with %zu %s\n", count, i + 1, i == 0 ? "person" : "people");
  }
  text += format("\n%-34s %9s %9s %9s\n", "", "least", "median", "most");
  text += spread("width of images, pixels", statistics.width) + spread("height of images, pixels", statistics.height) +
          spread("larger side of people, pixels", statistics.person_side) +
          spread("labelled joints of a person", statistics.labelled);
  text += format("\n%-20s %9s %9s %9s %11s\n", "joint", "visible", "occluded", "outside", "unlabelled");
  for (const pm::JointStatistics& joint : statistics.joints) {
    text += format("%-20s %9d %9d %9d %11d\n", joint.name.c_str(), joint.visible, joint.occluded, joint.outside,
                   joint.unlabelled);
  }
  return text;
}

int stats(const DatasetArguments& arguments, const Context& context) {
  const pm::Annotations annotations = read(arguments, context);
  const pm::DataSetStatistics statistics = pm::statistics_of(annotations, inspect(annotations, arguments, context));
  if (arguments.json) {
    pm::Json json = to_json(statistics);
    json["left_out"] = left_out_to_json(annotations);
    write_stdout(json_line(json));
    return done;
  }
  const std::string left_out = left_out_words(annotations);
  write_stdout(to_text(statistics, annotations.joints) + (left_out.empty() ? "" : "\nleft out: " + left_out + "\n"));
  return done;
}

// A person's labels as a pose to draw.
pm::Pose pose_of(const pm::Person& person, const pm::Image& image) {
  pm::Pose pose;
  for (const pm::Joint& joint : person.joints) {
    pose.keypoints.push_back(joint.is_labelled() ? pm::Keypoint{joint.position, 1} : pm::Keypoint{});
  }
  if (const auto box = pm::person_box(person, image.width, image.height)) pose.box = *box;
  return pose;
}

// `count` of the images, evenly spread.
std::vector<std::filesystem::path> some_of(const std::set<std::filesystem::path>& images, int count) {
  const std::vector<std::filesystem::path> all(images.begin(), images.end());
  const std::size_t wanted = std::min(all.size(), static_cast<std::size_t>(count));
  std::vector<std::filesystem::path> some;
  for (std::size_t i = 0; i < wanted; ++i) some.push_back(all[i * all.size() / wanted]);
  return some;
}

int show(const DatasetArguments& arguments, const Context& context) {
  const pm::Annotations annotations = read(arguments, context, arguments.problems);
  std::set<std::filesystem::path> images;
  if (arguments.problems) {
    for (const pm::Finding& finding : pm::find_problems(annotations, inspect(annotations, arguments, context))) {
      if (!finding.person || finding.kind == "damaged image" || finding.kind == "absent image") continue;
      images.insert(annotations.people[*finding.person].image);
    }
  } else {
    for (const pm::Person& person : annotations.people) images.insert(person.image);
  }
  const std::vector<std::filesystem::path> shown = some_of(images, arguments.count);
  std::filesystem::create_directories(arguments.output);
  Progress progress(context, "drawing");
  std::vector<std::string> problems(shown.size());
  std::atomic<int> drawn = 0;
  long long looked_at = 0;
  std::mutex mutex;
  pm::Workers workers(arguments.threads);
  workers.for_each(static_cast<int>(shown.size()), [&](int index, int) {
    const auto i = static_cast<std::size_t>(index);
    context.stop_if_asked();
    try {
      pm::Image image = pm::read_displayable(shown[i]);
      for (const pm::Person& person : annotations.people) {
        if (person.image != shown[i]) continue;
        pm::draw_pose(image, pose_of(person, image), annotations.joints,
                      {.draw_box = person.framing == pm::Framing::box});
      }
      const std::string name = format("%04zu_", i + 1) + shown[i].stem().string() + ".png";
      pm::write_png(std::filesystem::path(arguments.output) / name, image);
      ++drawn;
    } catch (const pm::DataError& error) {
      problems[i] = error.what();
    }
    const std::scoped_lock lock(mutex);
    progress.update(++looked_at, static_cast<long long>(shown.size()));
  });
  for (const std::string& problem : problems) {
    if (!problem.empty()) complain(problem);
  }
  write_stdout(format("%d of %zu images drawn into %s\n", drawn.load(), images.size(), arguments.output.c_str()));
  return drawn == static_cast<int>(shown.size()) ? done : bad_data;
}

int convert(const DatasetArguments& arguments, const Context& context) {
  std::string known;
  for (const pm::DataSetKind& kind : context.data_sets.all()) {
    if (kind.write != nullptr)
      known += (known.empty() ? "" : ", ") + std::string(kind.name) + ":" + std::string(kind.path);
  }
  const std::size_t colon = arguments.to.find(':');
  const pm::DataSetKind* const kind = context.data_sets.find(arguments.to.substr(0, colon));
  if (colon == std::string::npos || colon + 1 == arguments.to.size() || kind == nullptr || kind->write == nullptr) {
    pm::fail<pm::UsageError>({.where = "--to", .expected = "one of " + known, .got = "\"" + arguments.to + "\""});
  }
  const std::filesystem::path path = arguments.to.substr(colon + 1);
  std::error_code error;
  const auto refuse_to_replace = [&](const std::string& got, const std::string& remedy = "") {
    pm::fail<pm::UsageError>(
        {.where = "--to", .expected = "a file that is not there yet", .got = path.string() + got, .remedy = remedy});
  };
  if (!arguments.force && std::filesystem::exists(path, error)) refuse_to_replace("", "--force replaces it");
  if (std::filesystem::equivalent(path, context.data_sets.parse(arguments.data).path, error)) {
    refuse_to_replace(", which is read");
  }
  const pm::Annotations annotations = read(arguments, context);
  for (const pm::Person& person : annotations.people) {
    if (std::filesystem::equivalent(path, person.image, error)) refuse_to_replace(", one of the images");
  }
  kind->write(annotations, path);
  write_stdout(format("%zu people written to %s\n", annotations.people.size(), path.c_str()));
  return done;
}

CLI::App* add_action(CLI::App& command, const char* name, const char* does, DatasetArguments& arguments) {
  CLI::App* action = command.add_subcommand(name, does);
  action->add_option("--data", arguments.data, "KIND:PATH[:PART], as in train")->required();
  action->add_option("--images", arguments.images, "The folder of the images, as in train");
  action->add_flag("--allow-missing", arguments.allow_missing,
                   "Leave out people whose image is absent, instead of failing");
  return action;
}

void add_threads(CLI::App& action, DatasetArguments& arguments) {
  action.add_option("--threads", arguments.threads, "Images at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
}

}  // namespace

Command add_dataset(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<DatasetArguments>();
  CLI::App* command =
      app.add_subcommand("dataset", "Annotated people: what is wrong, figures, pictures, other formats");
  command->require_subcommand(1);
  CLI::App* const checking = add_action(
      *command, "check", "What is wrong with the people and their images, or looks so, in sentences", *arguments);
  checking->add_flag("--json", arguments->json, "One JSON object: people, images, counts by kind, left_out, findings");
  checking
      ->add_option(
          "--frames", arguments->frames,
          "Those that a model is to see, as in [-1,0]: also find images without other frames beside them, and\n"
          "frames that cannot be used or are of another size")
      ->option_text("LIST");
  add_threads(*checking, *arguments);
  checking->footer("Exit code 3 where something was found. Every image is decoded once.");
  CLI::App* const counting = add_action(*command, "stats", "How many people, images and labels there are", *arguments);
  counting->add_flag("--json", arguments->json, "One JSON object");
  add_threads(*counting, *arguments);
  CLI::App* const showing = add_action(*command, "show", "The labels drawn on the images", *arguments);
  showing->add_option("-o,--output", arguments->output, "The folder for the pictures; made where it is absent")
      ->required();
  showing->add_option("--count", arguments->count, "At most so many images, evenly spread")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  showing->add_flag("--problems", arguments->problems, "Only images of which check says something");
  add_threads(*showing, *arguments);
  CLI::App* const converting = add_action(*command, "convert", "The same people in another format", *arguments);
  converting->add_option("--to", arguments->to, "coco:FILE.json, csv:FILE.csv or yolo:DIR")->required();
  converting->add_flag("--force", arguments->force,
                       "Replace the file if it is there; of yolo images/ and labels/ are never replaced");
  for (CLI::App* const action : {checking, counting, showing, converting}) {
    action->add_option("--joints", arguments->joints,
                       "The joints wanted, as in train: " + joint_set_names() +
                           ", or a JSON file. Others are left out,\nabsent ones unlabelled");
    action->fallthrough();
  }
  return {command, [=, &context] {
            if (checking->parsed()) return check(*arguments, context);
            if (counting->parsed()) return stats(*arguments, context);
            if (showing->parsed()) return show(*arguments, context);
            return convert(*arguments, context);
          }};
}

}  // namespace tool
