// The tool's frame: the list of commands, exit codes, streams.
#include "tool.hpp"

#include "manual.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/model/layer_words.hpp>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

bool colour_wanted() {
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
}

void say(std::string_view kind, int colour, std::string_view text) {
  std::string line = "posemachine: ";
  line += colour_wanted() ? format("\033[%dm", colour) + std::string(kind) + "\033[0m" : std::string(kind);
  line += " " + std::string(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

int end_with(int code, std::string_view text) {
  complain(text);
  return code;
}

// CLI11 calls a misspelt command an unexpected argument; we know better.
void check_command_name(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.empty() && word[0] == '-') {
      if (word == "--completion") ++i;  // its shell is no command
      continue;
    }
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(command->get_name());
      if (names.back() == word) return;
    }
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    pm::fail<pm::UsageError>({.where = "command",
                              .expected = "one of " + known,
                              .got = "\"" + word + "\"",
                              .remedy = pm::did_you_mean(word, names)});
  }
}

// The message for words that no command takes.
std::string describe_extras(const CLI::App& app, const std::string& message) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  for (const std::string& word : app.remaining(true)) {
    if (word.size() < 2 || word[0] != '-') continue;
    return pm::to_string(pm::Problem{.where = command->get_name(),
                                     .expected = "options of its own",
                                     .got = word,
                                     .remedy = nearest_option(*command, word)});
  }
  return message;
}

int run_commands(int argc, char** argv, Context& context) {
  CLI::App app("Human pose estimation: networks composed from C++ types, run and trained on oneDNN.", "posemachine");
  app.set_version_flag("--version", [] { return version_text(); }, "Versions of this program, oneDNN and oneTBB");
  app.add_flag("-q,--quiet", context.quiet, "No progress and no warnings");
  // As --help, they end the parsing, and go to stdout.
  app.add_option_function<std::string>(
         "--completion",
         [&](const std::string& shell) { throw CLI::CallForVersion(completion_script(app, shell), done); },
         "A script for a shell, by which it completes commands, options and their words")
      ->check(CLI::IsMember({"bash", "zsh"}));
  app.add_flag_callback(
      "--manual", [&] { throw CLI::CallForVersion(manual_page(app), done); },
      "All help as a manual page: posemachine --manual | man -l -");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed while running, 2 usage,\n"
      "3 bad input data, 4 bad model file, 130, 143 and 138 after SIGINT, SIGTERM\n"
      "and SIGUSR1.");
  std::vector<Command> commands;
  for (const auto add : {add_summary, add_diff, add_dataset, add_train, add_evaluate, add_calibrate, add_estimate,
                         add_merge, add_bench, add_profile, add_tune, add_export}) {
    commands.push_back(add(app, context));
    commands.back().app->fallthrough();
  }
  try {
    check_command_name(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version and the like: on stdout
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
      return end_with(usage,
                      describe_extras(app, error.what()) + "\nRun posemachine --help, or posemachine COMMAND --help.");
    }
    return end_with(usage, std::string(error.what()) + "\nRun posemachine --help, or posemachine COMMAND --help.");
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return done;
}

}  // namespace

int run_main(int argc, char** argv) { return run(argc, argv); }

int run(int argc, char** argv, const pm::OpSet& ops) { return run(argc, argv, ops, pm::library_layers()); }

int run(int argc, char** argv, const pm::OpSet& ops, const pm::LayerSet& layers) {
  SignalWatcher watcher;
  Context context;
  context.stop = watcher.token();
  context.ops = ops;
  context.layers = layers;
  try {
    const int code = run_commands(argc, argv, context);
    write_stdout("");  // what the help and version flags wrote
    return code;
  } catch (const Interrupted&) {
    return watcher.signal() != 0 ? 128 + watcher.signal() : done;  // another process of the job has the signal
  } catch (...) {
    return complain_of_exception();
  }
}

void Context::warn(std::string_view text) const {
  if (!quiet) say("warning:", 33, text);
}

void complain(std::string_view text) { say("error:", 31, text); }

int complain_of_exception(std::string_view whose) {
  const std::string before = whose.empty() ? "" : std::string(whose) + ": ";
  try {
    throw;
  } catch (const pm::UsageError& error) {
    return end_with(usage, before + error.what());
  } catch (const pm::DataError& error) {
    return end_with(bad_data, before + error.what());
  } catch (const pm::ModelError& error) {
    return end_with(bad_model, before + error.what());
  } catch (const std::bad_alloc&) {
    return end_with(failed, before + "out of memory");
  } catch (const std::exception& error) {
    return end_with(failed, before + error.what());
  }
}

std::string format(const char* text, ...) {
  std::va_list arguments;
  va_start(arguments, text);
  std::va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, text, arguments);
  va_end(arguments);
  std::string result(static_cast<std::size_t>(size < 0 ? 0 : size), '\0');
  std::vsnprintf(result.data(), result.size() + 1, text, again);
  va_end(again);
  return result;
}

std::string json_line(const pm::Json& json) {
  return json.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n";
}

std::string thousands(long long number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3 + (number < 0 ? 1u : 0u);) text.insert(at -= 3, ",");
  return text;
}

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::string read_standard_input(const Context& context, std::uint64_t max_bytes) {
  std::string bytes;
  std::array<char, 65536> chunk;
  for (;;) {
    context.stop_if_asked();
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, 100) == 0) continue;  // ms: how often a stop request is looked for
    const ssize_t count = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) pm::fail<pm::DataError>({.where = "standard input", .got = std::strerror(errno)});
    if (count == 0) return bytes;
    bytes.append(chunk.data(), static_cast<std::size_t>(count));
    if (bytes.size() <= max_bytes) continue;
    pm::fail<pm::DataError>(
        {.where = "standard input", .expected = "at most " + std::to_string(max_bytes) + " bytes", .got = "more"});
  }
}

void write_stdout(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return;
  pm::fail<pm::RuntimeFailure>({.where = "stdout", .got = std::string("cannot be written: ") + std::strerror(errno)});
}

}  // namespace tool
