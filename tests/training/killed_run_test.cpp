// A run killed, or cut off by a full disk, at every system call that writes its files: resumed, it ends with the bytes
// of an undisturbed one. The runs are processes of their own, of this program.
#include "child_process.hpp"
#include "small_run.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/training/run_folder.hpp>
#include <posemachine/training/tensorboard_log.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace killed_run_test {

using namespace posemachine;

namespace {

// What the process of a run is told: how its files go wrong, and from which call on.
enum class Fault { none, killed, full };
Fault fault = Fault::none;
int calls_left = 0;

// Whether this call fails. A process that is to be killed dies in it.
bool fails() {
  if (fault == Fault::none || --calls_left > 0) return false;
  if (fault == Fault::killed) ::kill(::getpid(), SIGKILL);
  errno = ENOSPC;
  return true;  // this one and all that follow
}

FileSystemCalls faulty_calls() {
  FileSystemCalls calls;
  calls.open = [](const char* path, int flags, mode_t mode) { return fails() ? -1 : ::open(path, flags, mode); };
  calls.write = [](int file, const void* bytes, std::size_t count) -> ssize_t {
    if (fault == Fault::none || calls_left > 1 || count < 2) return fails() ? -1 : ::write(file, bytes, count);
    [[maybe_unused]] const ssize_t half = ::write(file, bytes, count / 2);  // a torn write
    return fails() ? -1 : half;
  };
  calls.fsync = [](int file) { return fails() ? -1 : ::fsync(file); };
  calls.rename = [](const char* from, const char* to) { return fails() ? -1 : std::rename(from, to); };
  return calls;
}

TrainOptions options() {
  TrainOptions options = small_run::tiny_options();  // 3 steps an epoch, a checkpoint every 2
  options.epochs = 2;
  options.validate_epochs = 1;
  options.average_decay = 0.9;
  options.keep_checkpoints = 1;
  options.log_steps = 2;
  options.pictures = 0;
  return options;
}

// Trains in $POSEMACHINE_RUN, from its last checkpoint where there is one, to the end.
void train(const std::filesystem::path& folder, const std::filesystem::path& data) {
  std::vector<Person> people;
  std::vector<Person> validation;
  const auto add = [&](std::vector<Person>& to, int count, const std::string& prefix, int first) {
    for (int i = 0; i < count; ++i) {
      Person person{data / (prefix + std::to_string(i) + ".png"), "made", first + i, {}, Framing::image};
      for (int j = 0; j < 14; ++j) person.joints.push_back({{3.0 + j, 4.0 + i}, JointState::visible});
      to.push_back(person);
    }
  };
  add(people, 14, "p1_", 1);
  add(validation, 3, "p2_", 1);
  const FileSystemCalls calls = faulty_calls();
  if (!std::filesystem::exists(folder / "ckpt" / "last.safetensors")) std::filesystem::remove_all(folder);
  const bool resumed = std::filesystem::exists(folder);
  const RunFolder run = resumed ? RunFolder::open(folder, calls) : RunFolder::create(folder, Json::object(), calls);
  Trainer trainer(resumed ? run.load() : Checkpoint{small_run::tiny_model(), options()}, people, validation);
  run.rewind_metrics(static_cast<int>(trainer.step() / trainer.steps_per_epoch()));
  TensorBoardLog log(folder, trainer.step(), {.log_steps = options().log_steps, .pictures = 0}, calls);
  trainer.run({}, [&](const TrainEvent& event) {
    run.on_event(event);
    log.on_event(event);
  });
}

// Trains as $POSEMACHINE_RUN, _DATA, _FAULT and _CALL say.
void run_apart() {
  const std::string what = std::getenv("POSEMACHINE_FAULT");
  fault = what == "killed" ? Fault::killed : what == "full" ? Fault::full : Fault::none;
  calls_left = std::atoi(std::getenv("POSEMACHINE_CALL"));
  try {
    train(std::getenv("POSEMACHINE_RUN"), std::getenv("POSEMACHINE_DATA"));
  } catch (const Error&) {
    std::_Exit(1);
  }
}
const test_environment::ChildProcess apart("run", run_apart);

enum class End { finished, killed, failed };

// Trains in a process of its own, whose n-th call goes wrong.
End train_apart(const std::filesystem::path& folder, const std::filesystem::path& data, const char* what, int n) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv("POSEMACHINE_RUN", folder.c_str(), 1);
    ::setenv("POSEMACHINE_DATA", data.c_str(), 1);
    ::setenv("POSEMACHINE_FAULT", what, 1);
    ::setenv("POSEMACHINE_CALL", std::to_string(n).c_str(), 1);
    ::execl("/proc/self/exe", "test_training", "--child", "run", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return End::killed;
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) <= 1);
  return WEXITSTATUS(status) == 0 ? End::finished : End::failed;
}

// All that a run leaves but times, speeds and TensorBoard's files, as text.
std::string outcome_of(const std::filesystem::path& folder) {
  std::string text;
  for (const Json& line : RunFolder::open(folder).metrics()) {
    Json kept = line;
    kept.erase("images_per_second");
    kept.erase("loader_wait");
    text += kept.dump() + "\n";
  }
  std::vector<std::filesystem::path> files{"config.json", "model.safetensors", "ckpt/last.safetensors",
                                           "ckpt/best.safetensors", "ckpt/step-00000006.safetensors"};
  for (const std::filesystem::path& file : files) {
    REQUIRE(std::filesystem::exists(folder / file));
    text += file.string() + "\n" + small_run::contents(folder / file);
  }
  // Nothing else is there: neither half of a file, nor an epoch's checkpoint that should have gone.
  int others = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool known = std::ranges::count(files, entry.path().lexically_relative(folder)) > 0 ||
                       name == "metrics.jsonl" || name.starts_with("events.out.tfevents.") || entry.is_directory();
    if (!known) ++others;
    if (!known) text += "and " + name + "\n";
  }
  return text + std::to_string(others);
}

}  // namespace

TEST_CASE("a run killed, or out of room, at any call that writes a file, and resumed, ends with the same bytes") {
  const small_run::Folder data;
  small_run::noise_people(data, 14, true, 1);
  small_run::noise_people(data, 3, false, 2);
  const small_run::Folder folder;
  REQUIRE(train_apart(folder / "whole", data.path(), "none", 0) == End::finished);
  const std::string whole = outcome_of(folder / "whole");
  CHECK(whole.ends_with("0"));
  for (const std::string what : {"killed", "full"}) {
    int n = 1;
    for (;; ++n) {
      INFO(what << " at call " << n);
      const std::filesystem::path path = folder / (what + std::to_string(n));
      const End end = train_apart(path, data.path(), what.c_str(), n);
      if (end == End::finished) break;
      CHECK(end == (what == "killed" ? End::killed : End::failed));
      if (n % 4 == 0) train_apart(path, data.path(), what.c_str(), 1 + n % 23);  // and once more on the way
      REQUIRE(train_apart(path, data.path(), "none", 0) == End::finished);
      const std::string outcome = outcome_of(path);
      CHECK_MESSAGE(outcome == whole, "another outcome, with " << outcome.back() << " files that should not be there");
      std::filesystem::remove_all(path);
    }
    CHECK(n > 60);  // all calls of the run were tried
    MESSAGE(what << " at " << n - 1 << " calls");
  }
}

}  // namespace killed_run_test
