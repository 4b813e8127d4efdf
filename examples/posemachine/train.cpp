// posemachine train: a network trained on annotated people, in a folder of its own.
#include "job.hpp"
#include "joint_source.hpp"
#include "left_out.hpp"
#include "network_source.hpp"
#include "tool.hpp"
#include "train_config.hpp"

#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/data/data_set.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/graph/difference.hpp>
#include <posemachine/inference/evaluate.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/take_weights.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/output_decoders/output_decoders.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/run_folder.hpp>
#include <posemachine/training/tensorboard_log.hpp>
#include <posemachine/training/trainer.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pm = posemachine;

namespace tool {

namespace {

struct TrainArguments {
  TrainRequest request;
  std::string run;
  std::string folder = "runs";
  bool resume = false;
  bool json = false;
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// "2 h 05 min", "12 min", "40 s".
std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  if (whole >= 3600) return format("%lld h %02lld min", whole / 3600, whole / 60 % 60);
  return whole >= 60 ? format("%lld min", whole / 60) : format("%lld s", whole);
}

// As a shell takes it.
std::string shell_quoted(const std::string& text) {
  const bool plain =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:,@%") ==
      std::string::npos;
  if (plain && !text.empty()) return text;
  std::string inside;
  for (const char character : text) inside += character == '\'' ? "'\\''" : std::string(1, character);
  return "'" + inside + "'";
}

std::string numbers(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) text += format("%s%.4g", text.empty() ? "" : " ", value);
  return text;
}

// One changing line on a terminal and a plain one every few seconds elsewhere; a line that stays for every epoch.
class TrainProgress {
 public:
  TrainProgress(const Context& context, int epochs)
      : shown_(!context.quiet), terminal_(::isatty(STDERR_FILENO) != 0), epochs_(epochs) {}
  ~TrainProgress() { clear(); }
  TrainProgress(const TrainProgress&) = delete;
  TrainProgress& operator=(const TrainProgress&) = delete;

  void step(const pm::TrainEvent& event, int batch) {
    if (!shown_ || seconds_since(last_) < (terminal_ ? 0.2 : 5.0)) return;  // seconds between lines
    last_ = Clock::now();
    const double left = double(event.steps_per_epoch) * epochs_ - double(event.step);
    std::string line =
        format("epoch %lld of %d, step %lld: loss %s, %.1f images/s",
               static_cast<long long>((event.step - 1) / event.steps_per_epoch + 1), epochs_,
               static_cast<long long>(event.step), numbers(event.losses).c_str(), event.images_per_second);
    if (event.images_per_second > 0) line += ", " + duration_text(left * batch / event.images_per_second) + " left";
    std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
    std::fflush(stderr);
  }

  void epoch(const pm::TrainEvent& event) {
    std::string line = format("epoch %d of %d done: mean loss %s", event.epoch, epochs_, numbers(event.losses).c_str());
    if (event.validation != nullptr) {
      line += format(", validation %s %.2f%s", event.validation->metrics.front().heading.c_str(),
                     event.validation->stages.back().front().mean, event.best ? " (best)" : "");
    }
    say(line);
  }

  // A line that stays.
  void say(const std::string& line) const {
    if (!shown_) return;
    clear();
    std::fprintf(stderr, "%s\n", line.c_str());
    std::fflush(stderr);
  }

 private:
  void clear() const {
    if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
  }

  bool shown_;
  bool terminal_;
  int epochs_;
  Clock::time_point last_ = Clock::now();
};

void check_run_name(const std::string& name) {
  const bool plain = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
  if (plain) return;
  pm::fail<pm::UsageError>({.where = "--run",
                            .expected = "a name without /: the run is a folder of that name in --runs",
                            .got = "\"" + name + "\""});
}

// What the run has come to, from its folder: the same whether it was just trained or finished before.
pm::Json result_json(const pm::RunFolder& run, const TrainConfig& config, const pm::Trainer& trainer, double seconds,
                     double images_per_second) {
  pm::Json json;
  json["run"] = run.path().string();
  json["network"] = config.network.name;
  json["epochs"] = trainer.step() / trainer.steps_per_epoch();
  json["steps"] = trainer.step();
  const std::vector<pm::Json> lines = run.metrics();
  const pm::Json* best = nullptr;
  for (const pm::Json& line : lines) {
    if (!line.contains("val_pck") || !line["val_pck"].is_number()) continue;
    if (best == nullptr || line["val_pck"] > (*best)["val_pck"]) best = &line;
  }
  if (!lines.empty()) {
    json["losses"] = lines.back().at("losses");
    if (lines.back().contains("val_pck") && lines.back()["val_pck"].is_number()) {
      json["validation"] = {{"pck", lines.back().at("val_pck")}};
      if (trainer.has_validation()) json["validation"]["metric"] = trainer.validation_metric().name;
      if (lines.back().contains("val_pcp_strict") && lines.back()["val_pcp_strict"].is_number()) {
        json["validation"]["pcp_strict"] = lines.back().at("val_pcp_strict");
      }
    }
  }
  if (best != nullptr) {
    json["best"] = {{"epoch", best->at("epoch")}, {"pck", best->at("val_pck")}, {"model", run.best().string()}};
  }
  json["model"] = run.model().string();
  add_left_out(json, trainer.damaged().all());
  json["seconds"] = seconds;
  json["images_per_second"] = images_per_second;
  return json;
}

// `heading`: of the metric that validation is judged by.
std::string result_text(const pm::Json& json, const std::string& heading) {
  std::string text = format("%s: %s, %d epochs, %s steps\n", json["run"].get<std::string>().c_str(),
                            json["network"].get<std::string>().c_str(), json["epochs"].get<int>(),
                            thousands(json["steps"].get<long long>()).c_str());
  if (json.contains("validation")) {
    text += format("validation  %s %.2f", heading.c_str(), json["validation"]["pck"].get<double>());
    if (json["validation"].contains("pcp_strict")) {
      text += format(", strict PCP %.2f", json["validation"]["pcp_strict"].get<double>());
    }
    text += "\n";
  }
  if (json.contains("best")) {
    text += format("best        %s: %s %.2f after epoch %d\n", json["best"]["model"].get<std::string>().c_str(),
                   heading.c_str(), json["best"]["pck"].get<double>(), json["best"]["epoch"].get<int>());
  }
  return text + format("model       %s\n", json["model"].get<std::string>().c_str());
}

// The model that a run begins with: random, or with what fits of another's weights.
pm::Model first_model(const TrainConfig& config, const Context& context, const TrainProgress& progress) {
  pm::Model model = pm::Model::random(config.network, config.options.seed);
  if (config.init.empty()) return model;
  pm::TensorFile file = pm::read_safetensors(config.init, {.skip_other_types = true});
  const bool is_model = file.metadata.contains("posemachine.format");
  std::optional<pm::Model> source;
  if (is_model) source = pm::trained_from_file(std::move(file), config.init, context.ops);
  pm::TakenWeights result = is_model ? pm::take_weights(model, *source) : pm::take_weights(model, file, config.init);
  progress.say(format("%s: %zu of %zu tensors taken", config.init.c_str(), result.taken.size(),
                      result.taken.size() + result.left.size()));
  constexpr std::size_t shown = 8;
  for (std::size_t i = 0; i < std::min(shown, result.left.size()); ++i) progress.say("  not " + result.left[i]);
  if (result.left.size() > shown) progress.say(format("  nor %zu others", result.left.size() - shown));
  const pm::ModelSpec& ours = model.spec();
  if (!is_model) {
    context.warn(config.init +
                 " does not say which images its weights are for: check model.colour_order and the normalisation");
  } else if (const pm::ModelSpec& theirs = source->spec();
             theirs.normalisation != ours.normalisation || theirs.bit_depth != ours.bit_depth ||
             (theirs.colour_order != ours.colour_order && channels_of(pixel_kind(theirs)) == image_channels(ours))) {
    context.warn(config.init + " was trained on images of another normalisation, bit depth or order of colours");
  }
  return std::move(result.model);
}

// Where a run begins: at the first step, or where another one stood, with its network, weights, average and step, and
// with its optimiser where the checkpoint has one of the same kind. Epochs count on; what was best was another run's.
pm::Checkpoint first_checkpoint(const TrainConfig& config, const Context& context, const TrainProgress& progress) {
  if (config.from.empty()) return {first_model(config, context, progress), config.options};
  pm::Checkpoint start = pm::load_checkpoint(config.from, context.ops);
  const std::string difference = pm::first_difference(start.model.graph(), config.network.graph);
  if (start.model.network() != config.network.name || !difference.empty()) {
    pm::fail<pm::UsageError>({.where = config.from,
                              .expected = "a checkpoint of " + config.network.name,
                              .got = start.model.network() + (difference.empty() ? "" : " (" + difference + ")"),
                              .remedy = "--init takes what fits of another network's weights"});
  }
  if (start.options.optimizer.kind != config.options.optimizer.kind) start = pm::without_moments(std::move(start));
  const bool averages = config.options.average_decay > 0;
  if (averages && start.average.empty()) start.average = start.model.parameters();
  if (!averages) start.average.clear();
  pm::ModelSpec spec = config.network.spec;  // the size of the input may be another
  if (spec.joints.joints != start.model.spec().joints.joints) {
    pm::fail<pm::UsageError>({.where = config.from,
                              .expected = "a checkpoint of the joints " + pm::Json(spec.joints.joints).dump(),
                              .got = pm::Json(start.model.spec().joints.joints).dump(),
                              .remedy = "--init begins with weights and leaves out the maps of other joints"});
  }
  spec.heatmaps = start.model.spec().heatmaps;
  start.model = pm::Model(start.model.network(), start.model.graph(), start.model.parameters(), std::move(spec));
  start.options = config.options;
  start.people.clear();
  start.epoch_losses.assign(start.model.graph().outputs.size(), 0.0);
  start.epoch_steps = 0;
  start.best_score = -1;
  start.plateau = {};
  progress.say(
      format("going on after step %lld of %s%s", static_cast<long long>(start.step), config.from.c_str(),
             start.moments.empty() && start.optimizer_start == start.updates() ? ", with a new optimiser" : ""));
  return start;
}

// Warns of the people on absent images, of training and of validation. Returns these images.
std::set<std::filesystem::path> warn_of_absent(const TrainConfig& config, const TrainingSets& sets,
                                               const Context& context) {
  if (!config.allow_missing) return {};
  std::vector<pm::Person> people = sets.train;
  people.insert(people.end(), sets.validation.begin(), sets.validation.end());
  return warn_of_absent(people, context);
}

// What the other ranks train: to be called once this one can, so that what is wrong with all is said once.
void tell_others(pm::engine::Communicator& ranks, const TrainConfig& config, const pm::Trainer& trainer,
                 const Context& context) {
  if (default_threads() < processors_for_each()) {
    context.warn(format("each rank may use %d of %d processors; mpirun --bind-to none gives it all", default_threads(),
                        processors_for_each()));
  }
  pm::engine::text_of_first(ranks, pm::write_json(config_to_json(config), "configuration"));
  pm::engine::text_of_first(ranks, pm::checkpoint_to_bytes(trainer.checkpoint()));
}

// A rank that keeps nothing and says nothing: the data sets are its own, all else is rank 0's.
int train_along(const std::shared_ptr<pm::engine::Communicator>& ranks, const Context& context) {
  const std::string configuration = pm::engine::text_of_first(*ranks, "");
  const std::string checkpoint = pm::engine::text_of_first(*ranks, "");
  const std::string where = "configuration of rank 0";
  pm::JsonLimits limits;
  limits.depth += 4;  // a network file may stand inside
  const TrainConfig config =
      config_from_json(pm::parse_json<pm::RuntimeFailure>(configuration, where, limits), where, context);
  TrainingSets sets = read_sets(config, context);
  std::set<std::filesystem::path> named;
  for (const pm::AbsentImage& absent : pm::absent_images(sets.train)) named.insert(absent.image);  // rank 0 says it
  pm::Trainer trainer(pm::checkpoint_from_bytes(checkpoint, "checkpoint of rank 0", context.ops), std::move(sets.train),
                      {}, ranks, context.train_kinds);
  const bool over = trainer.run(context.stop, [](const pm::TrainEvent&) {});
  warn_of_left_out(trainer.damaged(), named, context);
  if (!over) throw Interrupted{};
  return done;
}

int train(const TrainArguments& arguments, const Context& context,
          const std::shared_ptr<pm::engine::Communicator>& ranks) {
  check_run_name(arguments.run);
  const std::filesystem::path path = std::filesystem::path(arguments.folder) / arguments.run;
  TrainConfig config;
  std::optional<pm::Checkpoint> start;
  std::optional<pm::RunFolder> run;
  if (arguments.resume) {
    run = pm::RunFolder::open(path);
    start = run->load(context.ops);
    config = resumed_config(arguments.request, run->config(), (path / "config.json").string(), *start, context);
    start->options = config.options;
  } else {
    pm::RunFolder::require_new(path);  // before the data is read
    config = new_config(arguments.request, context);
  }
  TrainProgress progress(context, config.options.epochs);
  if (!arguments.resume) start = first_checkpoint(config, context, progress);

  TrainingSets sets = read_sets(config, context);
  if (sets.validation.empty())
    context.warn("no validation: it needs people of its own (--validation KIND:PATH[:PART])");
  progress.say(format("%s: %zu people to train on, %zu for validation", arguments.resume ? "resuming" : "training",
                      sets.train.size(), sets.validation.size()));
  for (const std::string& line : sets.left_out) progress.say("left out of " + line);
  for (const std::string& line : describe_labels(config, sets)) progress.say(line);
  std::set<std::filesystem::path> named = warn_of_absent(config, sets, context);  // photographs that were spoken of
  pm::Trainer trainer(*start, std::move(sets.train), std::move(sets.validation), ranks, context.train_kinds);
  const std::size_t photographs = trainer.find_damaged_headers();
  const std::size_t unusable = trainer.damaged().all().size();
  if (unusable > 0) progress.say(format("%zu of %zu photographs are damaged or absent", unusable, photographs));
  // Made last: what cannot be trained, or written down, leaves no folder behind.
  pm::write_json<pm::UsageError>(config_to_json(config), "configuration");
  if (!run) {
    run = pm::RunFolder::create(path, config_to_json(config));
    if (!config.from.empty()) pm::save_checkpoint(trainer.checkpoint(), run->last());
  }
  if (arguments.resume) run->rewind_metrics(static_cast<int>(trainer.step() / trainer.steps_per_epoch()));
  start.reset();
  std::optional<pm::TensorBoardLog> log;
  if (config.options.log_steps > 0 && trainer.step() < trainer.total_steps()) {
    const pm::TensorBoardOptions shown{.log_steps = config.options.log_steps, .pictures = config.options.pictures};
    log.emplace(run->path(), trainer.step(), shown);
  }
  if (ranks != nullptr) tell_others(*ranks, config, trainer, context);

  if (trainer.step() == 0 && trainer.has_validation() && !context.quiet) {
    progress.say(format("a constant pose scores %s %.2f in validation: what is above it has been learnt",
                        trainer.validation_metric().heading.c_str(), trainer.constant_pose_score().mean));
  }
  const Clock::time_point begin = Clock::now();
  double images_per_second = 0;
  const auto name_left_out = [&] { warn_of_left_out(trainer.damaged(), named, context); };
  name_left_out();
  const bool over = trainer.run(context.stop, [&](const pm::TrainEvent& event) {
    run->on_event(event);
    if (log) log->on_event(event);
    images_per_second = event.images_per_second;
    if (event.kind == pm::TrainEvent::Kind::step) progress.step(event, config.options.batch);
    if (event.kind == pm::TrainEvent::Kind::epoch) {
      progress.epoch(event);
      name_left_out();
    }
    if (event.skipped) {
      context.warn(format("step %lld was not finite and is skipped; the rate is now %.3g",
                          static_cast<long long>(event.step), event.rate));
    }
    if (event.stalled) {
      progress.say(format("nothing better for %d epochs: ended before the last one", config.options.stop_epochs));
    }
  });
  name_left_out();
  if (!named.empty()) {
    progress.say(
        format("photographs that could not be used: %zu. Their people were left out of validation; in training others "
               "stood in for them",
               named.size()));
    constexpr std::size_t shown = 8;
    std::size_t listed = 0;
    for (const std::filesystem::path& image : named) {
      if (listed++ < shown) progress.say("  " + image.string());
    }
    if (listed > shown) progress.say(format("  and %zu others", listed - shown));
  }
  if (!over) {
    const std::string runs = arguments.folder == "runs" ? "" : "--runs " + shell_quoted(arguments.folder) + " ";
    progress.say(format("stopped after step %lld of %lld and saved; go on with train %s--run %s --resume",
                        static_cast<long long>(trainer.step()), static_cast<long long>(trainer.total_steps()),
                        runs.c_str(), shell_quoted(arguments.run).c_str()));
    throw Interrupted{};
  }
  const pm::Json result = result_json(*run, config, trainer, seconds_since(begin), images_per_second);
  write_stdout(arguments.json
                   ? result.dump(-1, ' ', false, pm::Json::error_handler_t::replace) + "\n"
                   : result_text(result, trainer.has_validation() ? trainer.validation_metric().heading : "PCK"));
  return done;
}

}  // namespace

namespace {

// A line for every kind of data set.
std::string data_set_words(const Context& context) {
  std::string words;
  for (const pm::DataSetKind& kind : context.data_sets.all()) {
    words += "\n" + std::string(kind.name) + ":" + std::string(kind.path) + "  " + std::string(kind.does);
    if (!kind.parts.empty()) words += "; PART: " + std::string(kind.parts);
  }
  return words;
}

// The rows that a key of the configuration may name, a line each.
template <class Rows>
std::string row_words(const std::string& key, const Rows& rows) {
  std::string words = key + ":\n";
  for (const auto& row : rows.all()) {
    words += format("  %-15s %s\n", std::string(row.name).c_str(), std::string(row.does).c_str());
  }
  return words;
}

std::string row_words(const Context& context) {
  const pm::TrainKinds& kinds = context.train_kinds;
  return row_words("train.loss", kinds.losses) + row_words("train.optimizer", kinds.optimizers) +
         row_words("train.schedule", kinds.schedules) + row_words("model.decoder", kinds.decoders) +
         row_words("the role of an output (a network file's meaning.outputs)", kinds.roles) +
         row_words("its decoder, for estimate", pm::OutputDecoders()) + "\n";
}

}  // namespace

Command add_train(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<TrainArguments>();
  TrainRequest& request = arguments->request;
  CLI::App* command = app.add_subcommand("train", "Train a network on annotated people");
  command->add_option("NET", request.network, "The network: a network file NET.json, or " + network_names());
  command
      ->add_option("--data", request.data,
                   "KIND:PATH[:PART]: " + data_set_words(context) +
                       "\nMay be given several times, and one given twice is seen twice an epoch. Several are brought\n"
                       "together by the names of joints, the first one's")
      ->allow_extra_args(false);
  command->add_option(
      "--validation", request.validation,
      "People to choose the best epoch by: the share of the images of --data that is kept back for it;\n"
      "a data set KIND:PATH[:PART]; a PART of the only data set, as in val; or a file with the name of an\n"
      "image per line. Default: 901 to 1000 of lsp:DIR, val of yolo:FILE.yaml, otherwise 0.1");
  command->add_option("--images", request.images,
                      "The folder of the images, for annotations that name files; default: images/ beside the\n"
                      "annotation, beside it, or one folder up");
  command->add_option(
      "--joints", request.joints,
      "The joints to learn: " + joint_set_names() +
          ", or a JSON file: a list of names, or an object with\n"
          "joints and, if they do not follow from the names, pairs, limbs, groups, sticks, torso; default:\n"
          "those of the first data set");
  command
      ->add_option(
          "--labels", request.labels,
          "KIND:FILE.mat[:NAME][:score=T]: other joints for the training people of KIND (lsp or lspet): the\n"
          "array NAME (default: joints) of a MATLAB v5 file, 14 x 3 x images: x, y and a weight of 0 to 1, by\n"
          "which the joint's loss is multiplied (0: unlabelled). With :score=T the third is a score: joints of\n"
          "at least T weigh 1, others 0. Once per KIND; validation and test keep their own joints")
      ->allow_extra_args(false);
  command->add_option("--run", arguments->run, "Name of the run: the folder RUNS/NAME, which must not exist yet")
      ->required();
  command->add_option("--runs", arguments->folder, "Where runs are kept")->capture_default_str();
  command->add_flag("--resume", arguments->resume,
                    "Go on with the run from its last checkpoint, as if it had never stopped");
  command->add_option("--init", request.init,
                      "Begin with the weights of this model file or checkpoint, or of any safetensors file, as far as\n"
                      "names and shapes fit: for fine-tuning, and for other joint sets (then the last layers stay\n"
                      "random)");
  command->add_option("--from", request.from,
                      "Go on from this checkpoint in a run of its own: weights, average, step, and the options that\n"
                      "are not given here. Another rate, schedule, size of the input or data may follow; also from\n"
                      "what posemachine export --checkpoint wrote on another machine");
  command->add_option("--config", request.file,
                      "JSON with comments: network (a name, a file or a whole description), data, images,\n"
                      "validation, joints, labels, init, model {...}, train {...}, as config.json of a run, which has\n"
                      "all keys. NET, --data, --labels, --set and the other arguments replace what it says");
  command
      ->add_option("--set", request.settings,
                   "KEY=VALUE over the configuration, as in train.rate=1e-3 or, for a network that sees a frame of a\n"
                   "video together with the one before it, model.frames=[-1,0]; may be given several times")
      ->allow_extra_args(false);
  command
      ->add_option("--flip-test", request.flip_test,
                   "Whether the model averages its answer with the mirrored image's: on (default) or off")
      ->check(CLI::IsMember({"on", "off"}));
  command->add_flag(
      "--allow-missing", request.allow_missing,
      "Go on without images that are absent, instead of failing: other people stand in for those on them, and\n"
      "validation leaves them out. Also with --resume");
  command->add_flag("--json", arguments->json,
                    "One JSON object at the end: run, losses, validation, best, model, left_out_images");
  command->footer(
      describe_settings() + row_words(context) +
      "Ctrl-C, SIGTERM or SIGUSR1 saves and ends after the step under way. The run's folder gets config.json,\n"
      "metrics.jsonl (a line an epoch), an event file for TensorBoard, pictures/ of validation, ckpt/last and\n"
      "ckpt/best.safetensors, and at the end model.safetensors.\n"
      "Under mpirun (a program built with MPI) its processes share every step; the bytes are those of one.");
  return {command, [arguments, &context] {
            return in_job([&](const std::shared_ptr<pm::engine::Communicator>& ranks) {
              const bool along = ranks != nullptr && ranks->rank() > 0;
              return along ? train_along(ranks, context) : train(*arguments, context, ranks);
            });
          }};
}

}  // namespace tool
