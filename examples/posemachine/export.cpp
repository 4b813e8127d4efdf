// posemachine export: networks for other runtimes, and runs for other machines.
#include "model_output.hpp"
#include "network_source.hpp"
#include "tool.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/onnx.hpp>
#include <posemachine/training/checkpoint.hpp>

#include <memory>
#include <string>

namespace pm = posemachine;

namespace tool {

namespace {

struct ExportArguments {
  std::string what;
  std::string onnx;
  std::string checkpoint;
  std::string model;
  std::string weights;
  std::string size;
};

int export_network(const ExportArguments& arguments, const Context& context) {
  const int files = int(!arguments.onnx.empty()) + int(!arguments.checkpoint.empty()) + int(!arguments.model.empty());
  if (files != 1) {
    pm::fail<pm::UsageError>({.where = "export",
                              .expected = "one of --model, --onnx and --checkpoint",
                              .got = files == 0 ? "none" : "several"});
  }
  if (!arguments.weights.empty() && arguments.model.empty()) {
    pm::fail<pm::UsageError>({.where = "--weights", .expected = "--model with it", .got = "none"});
  }
  if (!arguments.checkpoint.empty()) {
    pm::save_checkpoint(pm::without_moments(pm::load_checkpoint(arguments.what, context.ops)), arguments.checkpoint);
    return done;
  }
  if (!arguments.model.empty()) check_model_output("--model", arguments.model);
  pm::Model model = find_model(arguments.what, context);
  if (!arguments.model.empty()) {
    if (!arguments.weights.empty()) model = model.with_weights_stored_as(*pm::data_type_of(arguments.weights));
    model.save(arguments.model);
    return done;
  }
  pm::write_onnx(model, input_size(model, arguments.size), arguments.onnx);
  return done;
}

}  // namespace

Command add_export(CLI::App& app, const Context& context) {
  auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command =
      app.add_subcommand("export", "A network and its weights for other runtimes, or a run for another machine");
  command
      ->add_option("NET", arguments->what,
                   "A model file; or, with random weights, a network file NET.json or a network: " + network_names() +
                       ";\nwith --checkpoint a run's ckpt/last.safetensors")
      ->required();
  command->add_option("--model", arguments->model, "The file to write: a model file");
  command
      ->add_option(
          "--weights", arguments->weights,
          "With --model: convolutions' weights rounded to bf16 or f16, in half the bytes, or f32; default: as\n"
          "they are stored. They are floats again when they are read, and computed with as such")
      ->check(CLI::IsMember({"f32", "bf16", "f16"}));
  command->add_option("--onnx", arguments->onnx, "The file to write: ONNX, operator set 14, fp32");
  command->add_option("--checkpoint", arguments->checkpoint,
                      "The file to write: the checkpoint without the optimiser's state, half as large, from which\n"
                      "train --from goes on elsewhere");
  command->add_option("--size", arguments->size,
                      "Input in pixels, HEIGHTxWIDTH or one number; default: the network's own");
  command->footer(
      "Inputs, outputs and parameters keep their names. An ONNX file holds the network alone: how a photo is\n"
      "cropped and normalised, and which joint a map belongs to, is what summary and the model file say.");
  return {command, [arguments, &context] { return export_network(*arguments, context); }};
}

}  // namespace tool
