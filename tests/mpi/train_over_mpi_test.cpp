// posemachine train under mpirun: the bytes of one process, stops, killed processes, and errors said once.
#include "environment.hpp"
#include "tool/program.hpp"
#include "tool/small_sets.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace train_over_mpi_test {

namespace pm = posemachine;
namespace fs = std::filesystem;
using tool_test::Outcome;
using tool_test::text_of;

namespace {

std::string at(const std::string& name) { return (tool_test::SmallSets::instance() / name).string(); }

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t begin = 0; (begin = text.find(part, begin)) != std::string::npos; begin += part.size()) ++count;
  return count;
}

// 0 ranks: the program by itself. Messages go through memory, none over a network.
std::string command_line(int ranks, const std::string& arguments) {
  const std::string command = tool_test::command_line(arguments, tool_test::SmallSets::instance().path());
  if (ranks == 0) return command;
  return "'" + test_environment::variable("POSEMACHINE_MPIRUN") + "' -n " + std::to_string(ranks) +
         " --oversubscribe --allow-run-as-root --bind-to none --mca btl self,vader " + command;
}

Outcome outcome_of(int status) { return tool_test::outcome_of(status, tool_test::SmallSets::instance().path()); }

Outcome run(int ranks, const std::string& arguments) {
  return outcome_of(std::system(command_line(ranks, arguments).c_str()));
}

// 11 people in batches of 4 slices: 2 steps an epoch.
const std::string small =
    " --set model.input_height=32 --set model.input_width=32 --set train.batch=4 --set train.slice=1"
    " --set train.warmup_steps=1 --set train.checkpoint_steps=1 ";
std::string runs() { return " --runs " + at("runs") + " "; }
std::string start(const std::string& name, int epochs = 2, const std::string& lsp = "lsp") {
  return "train scaling-dilation-small --run " + name + runs() + " --data lsp:" + at(lsp) +
         ":1:6 --data lspet:" + at("lspet") + " --validation lsp:" + at(lsp) + ":901:902 " + small +
         " --set train.epochs=" + std::to_string(epochs) + " ";
}
std::string resume(const std::string& name) { return "train --resume --run " + name + runs(); }

// What a run leaves, without what depends on time and on how many computed it.
struct Left {
  std::string state;
  std::string model;
  std::string best;
  std::string metrics;
  friend bool operator==(const Left&, const Left&) = default;
};

Left left_by(const std::string& name) {
  const fs::path folder = at("runs/" + name);
  pm::Checkpoint last = pm::load_checkpoint(folder / "ckpt/last.safetensors");
  last.options.workers = 1;
  last.options.checkpoint_steps = 1;
  Left left{pm::checkpoint_to_bytes(last), text_of(folder / "model.safetensors"),
            text_of(folder / "ckpt/best.safetensors"), ""};
  std::istringstream lines(text_of(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    pm::Json json = pm::parse_json(line, "metrics.jsonl");
    CHECK(json.erase("images_per_second") == 1);
    CHECK(json.erase("loader_wait") == 1);
    left.metrics += json.dump() + "\n";
  }
  return left;
}

// The process of a rank: a child of mpirun's whose environment says so. 0: none yet.
pid_t process_of_rank(pid_t mpirun, int rank) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string status = text_of(entry.path() / "status");
    if (status.find("\nPPid:\t" + std::to_string(mpirun) + "\n") == std::string::npos) continue;
    const std::string variable = std::string("\0OMPI_COMM_WORLD_RANK=", 22) + std::to_string(rank) + '\0';
    if (text_of(entry.path() / "environ").find(variable) != std::string::npos) return std::stoi(name);
  }
  return 0;
}

// 120 steps, some of them saved: long enough to be stopped, short enough for a test.
const std::string steady = " --set train.validate_epochs=30 ";

// Starts a run on 3 ranks and sends `signal` to the process of `rank`, or to mpirun where it is -1, once 10 steps are
// saved; how mpirun ended, and in how many seconds.
Outcome signalled(const std::string& name, int rank, int signal, double& seconds) {
  const fs::path last = at("runs/" + name + "/ckpt/last.safetensors");
  const std::string command = "exec " + command_line(3, start(name, 60) + steady + "--set train.checkpoint_steps=5");
  const pid_t mpirun = ::fork();
  if (mpirun == 0) {
    ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  pid_t ended = 0;
  while (ended == 0 && !(fs::exists(last) && pm::load_checkpoint(last).step >= 10)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ended = ::waitpid(mpirun, &status, WNOHANG);
  }
  const auto begin = std::chrono::steady_clock::now();
  if (ended == 0) {
    const pid_t process = rank < 0 ? mpirun : process_of_rank(mpirun, rank);
    REQUIRE(process > 0);
    ::kill(process, signal);
    ::waitpid(mpirun, &status, 0);
  }
  seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  CHECK(ended == 0);
  CHECK(pm::load_checkpoint(last).step < 120);
  return outcome_of(status);
}

}  // namespace

TEST_CASE("train over MPI: 1 to 4 ranks with 1 and 2 workers each leave the bytes of one process, and speak once") {
  REQUIRE(run(0, start("alone")).code == 0);
  const Left alone = left_by("alone");
  for (const int ranks : {1, 2, 3, 4}) {
    for (const int workers : {1, 2}) {
      const std::string name = "ranks" + std::to_string(ranks) + std::to_string(workers);
      INFO(name);
      const Outcome outcome = run(ranks, start(name) + "--json --set train.workers=" + std::to_string(workers));
      INFO(outcome.err);
      REQUIRE(outcome.code == 0);
      CHECK(pm::parse_json(outcome.out, "stdout")["steps"] == 4);
      CHECK(occurrences(outcome.err, "epoch 2 of 2 done") == 1);
      CHECK(left_by(name) == alone);
    }
  }
}

TEST_CASE("train over MPI: one killed process ends the job with a message, and other ranks go on to the same bytes") {
  REQUIRE(run(0, start("steady", 60) + steady).code == 0);
  const Left whole = left_by("steady");
  for (const int rank : {0, 1}) {
    INFO("rank " << rank);
    const std::string name = "killed" + std::to_string(rank);
    double seconds = 0;
    const Outcome outcome = signalled(name, rank, SIGKILL, seconds);
    INFO(outcome.err);
    CHECK(outcome.code == 128 + SIGKILL);
    CHECK(outcome.err.find("rank " + std::to_string(rank)) != std::string::npos);
    CHECK(outcome.err.find("exited on signal 9") != std::string::npos);
    CHECK(seconds < 30);
    const Outcome resumed = run(rank == 0 ? 2 : 4, resume(name));
    INFO(resumed.err);
    REQUIRE(resumed.code == 0);
    CHECK(left_by(name) == whole);
  }
}

TEST_CASE(
    "train over MPI: SIGTERM to a rank or SIGUSR1 to mpirun saves and ends all; the run goes on to the same bytes") {
  REQUIRE(run(0, start("whole", 60) + steady).code == 0);
  const Left whole = left_by("whole");
  for (const int rank : {-1, 0, 2}) {
    INFO("rank " << rank);
    const std::string name = "stopped" + std::to_string(rank);
    const int signal = rank < 0 ? SIGUSR1 : SIGTERM;
    double seconds = 0;
    const Outcome outcome = signalled(name, rank, signal, seconds);
    INFO(outcome.err);
    CHECK(outcome.code == 128 + signal);
    CHECK(outcome.out.empty());
    CHECK(occurrences(outcome.err, "stopped after step") == 1);
    REQUIRE(run(rank <= 0 ? 0 : 2, resume(name)).code == 0);
    CHECK(left_by(name) == whole);
  }
}

TEST_CASE("train over MPI: what is wrong everywhere is said once, with its exit code, and leaves no run behind") {
  const auto refused = [](int ranks, const std::string& arguments, int code, const std::string& message) {
    const Outcome outcome = run(ranks, arguments);
    INFO(arguments << ": " << outcome.err);
    CHECK(outcome.code == code);
    CHECK(outcome.out.empty());
    CHECK(occurrences(outcome.err, message) == 1);
  };
  refused(5, start("bad"), 2, "error: rank 0: ranks: expected at most one for each of the 4 slices of a batch, got 5");
  refused(2, start("bad", 2, "nowhere"), 3, "error: rank 0: ");
  refused(2, start("bad", 0), 2, "train.epochs: expected an integer from 1");
  refused(2, resume("bad"), 2, "start it without --resume");
  CHECK_FALSE(fs::exists(at("runs/bad")));
  REQUIRE(run(0, start("taken")).code == 0);
  refused(2, start("taken"), 2, "a folder that exists");
}

TEST_CASE("train over MPI: damaged photographs are named by the rank that met them, and end nothing") {
  fs::copy(at("lsp"), at("damaged"), fs::copy_options::recursive);
  for (int i = 1; i <= 6; ++i) std::ofstream(at("damaged/images/im000" + std::to_string(i) + ".jpg")) << "no picture";
  const Outcome outcome = run(4, start("damaged", 2, "damaged"));
  INFO(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.find(".jpg: expected a JPEG or PNG image") != std::string::npos);
}

}  // namespace train_over_mpi_test
