// The definitions of engine/batch_execution.hpp.
#pragma once

#include <posemachine/engine/batch_execution.hpp>

#include <posemachine/core/error.hpp>

#include <cstdint>
#include <string>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {
namespace engine {

POSEMACHINE_INLINE BatchExecution::BatchExecution(const Graph& graph, const std::shared_ptr<PreparedWeights>& weights,
                                                  const ProgramOptions& options)
    : options_(options), workers_(options.batch >= options.threads ? options.threads : 1) {
  if (options.mode != schedule::Mode::inference) {
    fail<UsageError>({.where = "BatchExecution", .expected = "Mode::inference", .got = "training"});
  }
  if (options.batch < 1) {
    fail<UsageError>({.where = "program: batch", .expected = "at least 1", .got = std::to_string(options.batch)});
  }
  ProgramOptions single = options;
  single.batch = 1;
  if (workers_.threads() > 1) single.threads = 1;
  const auto program = std::make_shared<const Program>(graph, single);
  require_bounded(*program);
  while (executions_.size() < static_cast<std::size_t>(workers_.threads())) {
    executions_.push_back(std::make_unique<Execution>(program, weights));
  }
  for (const Port& port : graph.inputs) inputs_.push_back({port.value, buffer(program->shape({port.value}))});
  for (const Port& port : graph.outputs) outputs_.push_back(buffer(program->shape({port.value})));
}

POSEMACHINE_INLINE std::size_t BatchExecution::bytes() const {
  std::size_t total = 0;
  for (const auto& execution : executions_) total += execution->bytes();
  for (const Input& input : inputs_) total += input.values.size() * sizeof(float);
  for (const std::vector<float>& output : outputs_) total += output.size() * sizeof(float);
  return total;
}

POSEMACHINE_INLINE std::span<float> BatchExecution::input(Value value) {
  for (Input& input : inputs_) {
    if (input.value == value.id) return input.values;
  }
  throw UsageError("this value is not an input of the program");
}

POSEMACHINE_INLINE Shape BatchExecution::output_shape(std::size_t index) const {
  Shape shape = executions_.front()->output_shape(index);
  shape[0] = options_.batch;
  return shape;
}

POSEMACHINE_INLINE void BatchExecution::run() {
  workers_.for_each(options_.batch, [this](int image, int lane) {
    Execution& execution = *executions_[static_cast<std::size_t>(lane)];
    const auto part = [&](std::vector<float>& whole) {
      return whole.data() + whole.size() / static_cast<std::size_t>(options_.batch) * static_cast<std::size_t>(image);
    };
    for (Input& input : inputs_) execution.bind_input(Value{input.value}, part(input.values));
    for (std::size_t k = 0; k < outputs_.size(); ++k) execution.bind_output(k, part(outputs_[k]));
    execution.run();
  });
}

POSEMACHINE_INLINE void BatchExecution::require_bounded(const Program& program) const {
  double floats = 0;
  const auto count = [&](const Shape& shape) {
    double product = options_.batch;
    for (const std::int64_t extent : shape) product *= static_cast<double>(extent);
    floats += product;
  };
  for (const Port& port : program.graph().inputs) count(program.shape({port.value}));
  for (const Port& port : program.graph().outputs) count(program.shape({port.value}));
  const double total = floats * sizeof(float) + static_cast<double>(program.execution_bytes()) * workers_.threads();
  if (total <= static_cast<double>(options_.max_bytes)) return;
  const auto mebibytes = [](double bytes) { return std::to_string(static_cast<std::int64_t>(bytes / (1 << 20))); };
  fail<ModelError>(
      {.where = "program",
       .expected = "at most " + mebibytes(static_cast<double>(options_.max_bytes)) + " MiB (ProgramOptions::max_bytes)",
       .got = mebibytes(total) + " MiB for " + std::to_string(options_.batch) + " images on " +
              std::to_string(workers_.threads()) + " threads",
       .remedy = "use a smaller batch, image or number of threads, or allow more"});
}

POSEMACHINE_INLINE std::vector<float> BatchExecution::buffer(const Shape& image) const {
  std::size_t floats = static_cast<std::size_t>(options_.batch);
  for (const std::int64_t extent : image) floats *= static_cast<std::size_t>(extent);
  return std::vector<float>(floats);
}

}  // namespace engine
}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
