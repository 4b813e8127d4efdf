// RunFolder: nothing is overwritten, nothing is resumed that is not there, metrics survive crashes.
#include "small_run.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/run_folder.hpp>
#include <posemachine/training/train_event.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace run_folder_test {

using namespace posemachine;

namespace {

TrainEvent epoch_event(int epoch) {
  TrainEvent event;
  event.kind = TrainEvent::Kind::epoch;
  event.epoch = epoch;
  event.step = 3 * epoch;
  event.losses = {0.1 * epoch, 1.0 / 3};
  return event;
}

}  // namespace

TEST_CASE("RunFolder: a folder that exists is never used, whatever is in it") {
  const small_run::Folder folder;
  const RunFolder run = RunFolder::create(folder / "runs/deep/one", parse_json(R"({"network": "n"})", "test"));
  CHECK(run.config()["network"] == "n");
  const auto again = [&] { RunFolder::create(folder / "runs/deep/one", Json::object()); };
  CHECK_THROWS_WITH_AS(again(), doctest::Contains("expected a name that no run has yet"), UsageError);
  CHECK(run.config()["network"] == "n");
  std::filesystem::create_directory(folder / "empty");
  CHECK_THROWS_AS(RunFolder::create(folder / "empty", Json::object()), UsageError);
  std::ofstream(folder / "file") << "x";
  CHECK_THROWS_AS(RunFolder::create(folder / "file/run", Json::object()), RuntimeFailure);
}

TEST_CASE("RunFolder: what was not begun cannot go on, and the message says how to start") {
  const small_run::Folder folder;
  CHECK_THROWS_WITH_AS(RunFolder::open(folder / "none"), doctest::Contains("start it without --resume"), UsageError);
  RunFolder::create(folder / "begun", Json::object());
  CHECK_THROWS_WITH_AS(RunFolder::open(folder / "begun"), doctest::Contains("remove the folder"), UsageError);
}

TEST_CASE("RunFolder: metrics are a line an epoch; those after the checkpoint and a line cut off are forgotten") {
  const small_run::Folder folder;
  const RunFolder run = RunFolder::create(folder / "run", Json::object());
  CHECK(run.metrics().empty());
  for (int epoch = 1; epoch <= 3; ++epoch) run.on_event(epoch_event(epoch));
  REQUIRE(run.metrics().size() == 3);
  CHECK(run.metrics()[1]["losses"] == Json({0.2, 1.0 / 3}));
  CHECK_FALSE(run.metrics()[1].contains("val_pck"));
  const std::string before = small_run::contents(folder / "run/metrics.jsonl");
  std::ofstream(folder / "run/metrics.jsonl", std::ios::app) << "{\"epoch\": 4, \"lo";
  CHECK(run.metrics().size() == 3);
  run.rewind_metrics(3);
  CHECK(small_run::contents(folder / "run/metrics.jsonl") == before);
  run.rewind_metrics(1);
  REQUIRE(run.metrics().size() == 1);
  run.on_event(epoch_event(2));
  run.on_event(epoch_event(3));
  CHECK(small_run::contents(folder / "run/metrics.jsonl") == before);
}

TEST_CASE("RunFolder: a metrics file that is none is named with its line") {
  const small_run::Folder folder;
  const RunFolder run = RunFolder::create(folder / "run", Json::object());
  std::ofstream(folder / "run/metrics.jsonl") << "{\"epoch\": 1}\nnot json\n";
  CHECK_THROWS_WITH_AS(run.metrics(), doctest::Contains("metrics.jsonl, line 2"), RuntimeFailure);
}

TEST_CASE("RunFolder: a run under way cannot be opened a second time, one that ended can") {
  const small_run::Folder folder;
  {
    const RunFolder run = RunFolder::create(folder / "run", Json::object());
    std::ofstream(run.last()) << "stands for a checkpoint";
    const RunFolder copy = run;  // the same run
    CHECK_THROWS_WITH_AS(RunFolder::open(folder / "run"), doctest::Contains("got one that another process trains"),
                         UsageError);
  }
  const RunFolder resumed = RunFolder::open(folder / "run");
  CHECK_THROWS_AS(RunFolder::open(folder / "run"), UsageError);
}

}  // namespace run_folder_test
