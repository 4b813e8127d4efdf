// What the commands of the tool share: exit codes, streams, interruption.
#pragma once

#include "environment.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/data/data_sets.hpp>
#include <posemachine/model/layer_set.hpp>
#include <posemachine/model/op_set.hpp>
#include <posemachine/pose/metrics/metrics.hpp>
#include <posemachine/pose/pose_formats.hpp>
#include <posemachine/training/train_kinds.hpp>

#include <CLI/CLI.hpp>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace tool {

/// Exit codes. After a signal: 128 + its number.
enum ExitCode : int { done = 0, failed = 1, usage = 2, bad_data = 3, bad_model = 4 };

/// Runs the tool: parses, runs the command, turns exceptions into messages on stderr and the right code. A program with
/// operations or layers of its own calls it with sets that have them; without layers they are the library's.
int run(int argc, char** argv, const posemachine::OpSet& ops = posemachine::OpSet());
int run(int argc, char** argv, const posemachine::OpSet& ops, const posemachine::LayerSet& layers);

/// Thrown by Context::stop_if_asked, once what must be saved is saved.
struct Interrupted {};

/// What every command is given. stdout carries results only; everything said here goes to stderr.
struct Context {
  bool quiet = false;
  posemachine::OpSet ops;        // that model and network files may name
  posemachine::LayerSet layers;  // that network files may name
  posemachine::DataSetKinds data_sets{};
  posemachine::MetricKinds metrics{};
  posemachine::PoseFormats pose_formats{};
  posemachine::TrainKinds train_kinds{};
  std::stop_token stop;  // requested by SIGINT, SIGTERM and SIGUSR1

  void warn(std::string_view text) const;
  void stop_if_asked() const {
    if (stop.stop_requested()) throw Interrupted{};
  }
};

/// A command: its arguments, and what it does once they are parsed. It returns an exit code or throws.
struct Command {
  CLI::App* app = nullptr;
  std::function<int()> run;
};

Command add_summary(CLI::App& app, const Context& context);
Command add_diff(CLI::App& app, const Context& context);
Command add_dataset(CLI::App& app, const Context& context);
Command add_train(CLI::App& app, const Context& context);
Command add_evaluate(CLI::App& app, const Context& context);
Command add_calibrate(CLI::App& app, const Context& context);
Command add_estimate(CLI::App& app, const Context& context);
Command add_merge(CLI::App& app, const Context& context);
Command add_bench(CLI::App& app, const Context& context);
Command add_profile(CLI::App& app, const Context& context);
Command add_tune(CLI::App& app, const Context& context);
Command add_export(CLI::App& app, const Context& context);

/// An error on stderr that does not end the command.
void complain(std::string_view text);

/// In a catch block: what was caught on stderr, after `whose` where it is not empty; returns its exit code.
int complain_of_exception(std::string_view whose = "");

/// printf into a string.
std::string format(const char* text, ...) __attribute__((format(printf, 1, 2)));

/// A JSON value on a line of its own, as results are written: bytes that are not UTF-8 (of files' names) are replaced.
std::string json_line(const posemachine::Json& json);

/// "1,602,212".
std::string thousands(long long number);

/// Standard input to its end. Errors: DataError where it cannot be read or is larger; Interrupted when asked to stop.
std::string read_standard_input(const Context& context, std::uint64_t max_bytes);

/// Writes results. Errors: RuntimeFailure where stdout takes no more (a full disk, a closed pipe).
void write_stdout(std::string_view text);

/// Seconds on a clock that is never set back.
double now_s();

/// How far a command is: one changing line on a terminal, otherwise a plain line every few seconds; none when quiet.
class Progress {
 public:
  Progress(const Context& context, std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(long long done, long long count);

 private:
  bool shown_;
  bool terminal_;
  std::string what_;
  double start_s_;
  double last_s_;
};

/// Turns SIGINT, SIGTERM and SIGUSR1 into a stop request while it lives; the second one ends the program at once. To be
/// made before other threads are: they inherit the blocked signals.
class SignalWatcher {
 public:
  SignalWatcher();
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  int signal() const { return signal_; }

 private:
  void watch(const std::stop_token& ending);

  sigset_t watched_{};
  sigset_t before_{};
  std::stop_source source_;
  std::atomic<int> signal_{0};
  std::jthread thread_;
};

}  // namespace tool
