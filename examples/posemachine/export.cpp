// posemachine export: networks for other runtimes, and runs for other machines.
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
  std::string size;
};

int export_network(const ExportArguments& arguments, const Context& context) {
  if (arguments.onnx.empty() == arguments.checkpoint.empty()) {
    pm::fail<pm::UsageError>({.where = "export",
                              .expected = "either --onnx or --checkpoint",
                              .got = arguments.onnx.empty() ? "neither" : "both"});
  }
  if (!arguments.checkpoint.empty()) {
    pm::save_checkpoint(pm::without_moments(pm::load_checkpoint(arguments.what, context.ops)), arguments.checkpoint);
    return done;
  }
  const pm::Model model = find_model(arguments.what, context);
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
