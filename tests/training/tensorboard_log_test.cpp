// TensorBoardLog: which numbers and pictures of a run reach its event file.
#include "event_reader.hpp"
#include "small_run.hpp"

#include <posemachine/core/image.hpp>
#include <posemachine/data/image_io.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/pose/joint_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/pose.hpp>
#include <posemachine/training/tensorboard_log.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace tensorboard_log_test {

using namespace posemachine;
using namespace event_reader;

namespace {

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Steps by tag, of everything in a file that has one.
std::map<std::string, std::vector<std::uint64_t>> steps_by_tag(const std::filesystem::path& file) {
  std::map<std::string, std::vector<std::uint64_t>> steps;
  for (const std::string& event : records_of(small_run::contents(file))) {
    if (has_field(event, 5)) steps[tag_of(event)].push_back(field_of(event, 2).bits);
  }
  return steps;
}

using Steps = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE(
    "TensorBoardLog: steps as often as asked for, epochs all, validation by stage and joint, pictures of people") {
  const small_run::Folder folder;
  const std::vector<Person> people = small_run::noise_people(folder, 14, true, 1);
  const std::vector<Person> validation = small_run::noise_people(folder, 3, false, 2);
  const TrainOptions options = small_run::tiny_options();  // 3 steps an epoch, 3 epochs, validated after 2 and 3
  std::filesystem::create_directory(folder / "run");
  std::vector<double> losses;
  std::vector<double> pck;
  {
    TensorBoardLog log(folder / "run", 0, {.log_steps = 4, .pictures = 2});
    Trainer trainer(small_run::tiny_model(), people, validation, options);
    trainer.run({}, [&](const TrainEvent& event) {
      log.on_event(event);
      if (event.kind == TrainEvent::Kind::step && event.step % 4 == 0) losses.push_back(event.losses[1]);
      if (event.validation != nullptr) pck.push_back(event.validation->stages[1][0].mean);
    });
  }
  const std::vector<std::filesystem::path> files = event_files(folder / "run");
  REQUIRE(files.size() == 1);
  auto steps = steps_by_tag(files[0]);
  for (const char* tag :
       {"loss/stage 1", "loss/stage 2", "loss/all stages", "training/rate", "training/gradient norm",
        "training/skipped steps", "speed/images per second", "speed/share of time waiting for data"}) {
    CAPTURE(tag);
    CHECK(steps[tag] == Steps{4, 8});
  }
  CHECK(steps["epoch loss/stage 2"] == Steps{3, 6, 9});
  for (const char* tag : {"validation PCK/stage 1", "validation PCK/stage 2", "validation PCK by joint/wrist",
                          "validation strict PCP/mean", "poses/person-1", "poses/person-2",
                          "heatmaps of person-2/stage 1", "heatmaps of person-2/stage 2"}) {
    CAPTURE(tag);
    CHECK(steps[tag] == Steps{6, 9});
  }
  CHECK_FALSE(steps.contains("poses/person-3"));
  std::vector<float> second_stage;
  std::vector<float> scores;
  for (const std::string& event : records_of(small_run::contents(files[0]))) {
    if (!has_field(event, 5)) continue;
    if (tag_of(event) == "loss/stage 2") second_stage.push_back(number_of(event));
    if (tag_of(event) == "validation PCK/stage 2") scores.push_back(number_of(event));
  }
  CHECK(second_stage == std::vector<float>(losses.begin(), losses.end()));
  CHECK(scores == std::vector<float>(pck.begin(), pck.end()));
  for (const char* name : {"person-1.png", "person-2.png", "person-2-stage-1.png", "person-2-stage-2.png"}) {
    const Image picture = read_image(folder / "run" / "pictures" / name);
    CHECK(picture.width > 100);
  }
}

TEST_CASE("TensorBoardLog: names of joints that are not ASCII do not end a run") {
  const small_run::Folder folder;
  JointSet joints = lsp_joints();
  joints.groups = {
      {"F\xc3\xbc\xc3\x9f"
       "e",
       {0}}};
  EvaluationResult result;
  const std::vector<MeasuredPerson> people{{0, std::vector<Joint>(14, {{1, 2}, JointState::visible}), {}, {}, {}, {}}};
  const std::vector<Keypoints> estimates{Keypoints(14, Keypoint{{1, 2}, 1})};
  result.metrics = default_metrics(joints, people);
  result.stages.emplace_back();
  for (const Metric& metric : result.metrics) result.stages[0].push_back(metric.measure(people, estimates));
  TensorBoardLog log(folder.path(), 0);
  TrainEvent event;
  event.kind = TrainEvent::Kind::epoch;
  event.validation = &result;
  log.on_event(event);
  CHECK(steps_by_tag(event_files(folder.path())[0]).contains("validation PCK by joint/F____e"));
  CHECK(steps_by_tag(event_files(folder.path())[0]).contains("validation strict PCP/mean"));
}

TEST_CASE("TensorBoardLog: a run that goes on begins another file that says where") {
  const small_run::Folder folder;
  const TensorBoardLog first(folder.path(), 0);
  const TensorBoardLog second(folder.path(), 7);
  const TensorBoardLog third(folder.path(), 0);  // killed before its first checkpoint but that of the beginning
  const std::vector<std::filesystem::path> files = event_files(folder.path());
  REQUIRE(files.size() == 3);
  CHECK(field_of(records_of(small_run::contents(files[2])).at(1), 2).bits == 1);
  CHECK(records_of(small_run::contents(files[0])).size() == 1);
  const std::vector<std::string> records = records_of(small_run::contents(files[1]));
  REQUIRE(records.size() == 3);
  CHECK(has_field(records[1], 7));
  CHECK(field_of(records[1], 2).bits == 8);
}

}  // namespace tensorboard_log_test
