// The definitions of training/check_gradients.hpp.
#pragma once

#include <posemachine/training/check_gradients.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/plain_gradients.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/model/initialise.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <algorithm>
#include <cmath>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

namespace detail {

// A network's training execution with random numbers in it, whose loss is a random linear function of all outputs.
class GradientChecker {
 public:
  GradientChecker(const Graph& network, Size image, const GradientCheckOptions& options);

  GradientCheck check();

 private:
  static engine::ProgramOptions program_options(Size image, const GradientCheckOptions& options);

  // Zeros where no output depends on it.
  std::vector<float> input_gradient(const Port& port) const;
  std::size_t plan_input_size(const Port& port) const;

  double loss();

  double slope_at(float& element, double step);

  void check_tensor(const std::string& name, std::span<float> tensor, const std::vector<float>& slopes,
                    std::uint64_t which);

  const Graph& network_;
  GradientCheckOptions options_;
  Graph graph_;
  std::shared_ptr<std::vector<Tensor>> parameters_;
  std::shared_ptr<engine::PreparedWeights> weights_;
  engine::Execution execution_;
  GradientCheck report_;
};

POSEMACHINE_INLINE GradientChecker::GradientChecker(const Graph& network, Size image,
                                                    const GradientCheckOptions& options)
    : network_(network),
      options_(options),
      graph_(differentiate(network, {.input_gradients = true})),
      parameters_(std::make_shared<std::vector<Tensor>>(initialise(network, options.seed))),
      weights_(std::make_shared<engine::PreparedWeights>(parameters_)),
      execution_(graph_, weights_, program_options(image, options)) {
  for (std::size_t id = 0; id < parameters_->size(); ++id) {  // away from the zeros and ones they begin with
    RandomStream stream(options.seed, Purpose::test, 1, id);
    const bool variance = (*parameters_)[id].values.front() == 1 && !network.parameters[id].trainable;
    for (float& value : (*parameters_)[id].values) {
      value += static_cast<float>(variance ? stream.uniform() : 0.1 * stream.normal());
    }
  }
  weights_->refresh();
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    RandomStream stream(options.seed, Purpose::test, 2, i);
    for (float& value : execution_.input(Value{graph_.inputs[i].value}))
      value = static_cast<float>(stream.uniform(-1, 1));
  }
  execution_.run({options.seed, 0, 0});
}

POSEMACHINE_INLINE GradientCheck GradientChecker::check() {
  std::vector<std::vector<float>> slopes = engine::detail::plain_gradients(execution_);
  std::vector<std::vector<float>> input_slopes;
  for (const Port& port : network_.inputs) input_slopes.push_back(input_gradient(port));
  for (std::size_t i = 0; i < network_.inputs.size(); ++i) {
    const Value value{network_.inputs[i].value};
    check_tensor(std::string(name_text(network_, network_.inputs[i].name)), execution_.input(value), input_slopes[i],
                 i);
  }
  for (std::size_t id = 0; id < slopes.size(); ++id) {
    if (!network_.parameters[id].trainable) continue;
    check_tensor(parameter_name(network_, static_cast<int>(id)), (*parameters_)[id].values, slopes[id], 1000 + id);
  }
  return report_;
}

POSEMACHINE_INLINE engine::ProgramOptions GradientChecker::program_options(Size image,
                                                                           const GradientCheckOptions& options) {
  engine::ProgramOptions execution;
  execution.batch = options.batch;
  execution.image = image;
  execution.mode = schedule::Mode::training;
  return execution;
}

POSEMACHINE_INLINE std::vector<float> GradientChecker::input_gradient(const Port& port) const {
  std::vector<float> slopes(plan_input_size(port));
  const std::string name = "diff_" + std::string(name_text(network_, port.name));
  for (std::size_t k = network_.outputs.size(); k < graph_.outputs.size(); ++k) {
    if (name_text(graph_, graph_.outputs[k].name) != name) continue;
    const std::span<const float> output = execution_.output(k);
    slopes.assign(output.begin(), output.end());
  }
  return slopes;
}

POSEMACHINE_INLINE std::size_t GradientChecker::plan_input_size(const Port& port) const {
  const schedule::ScheduledValue& value = execution_.schedule().value(port.value);
  return static_cast<std::size_t>(value.n) * static_cast<std::size_t>(value.c) * static_cast<std::size_t>(value.h) *
         static_cast<std::size_t>(value.w);
}

POSEMACHINE_INLINE double GradientChecker::loss() {
  weights_->refresh();
  execution_.run_forward({options_.seed, 0, 0});
  double sum = 0;
  for (std::size_t k = 0; k < network_.outputs.size(); ++k) {
    const std::span<const float> output = execution_.output(k);
    const std::span<float> slope = execution_.input(Value{graph_.inputs[network_.inputs.size() + k].value});
    for (std::size_t i = 0; i < output.size(); ++i) sum += double{output[i]} * double{slope[i]};
  }
  return sum;
}

POSEMACHINE_INLINE double GradientChecker::slope_at(float& element, double step) {
  const float kept = element;
  const float above = static_cast<float>(kept + step);
  const float below = static_cast<float>(kept - step);
  element = above;
  const double high = loss();
  element = below;
  const double low = loss();
  element = kept;
  return (high - low) / (double{above} - double{below});
}

POSEMACHINE_INLINE void GradientChecker::check_tensor(const std::string& name, std::span<float> tensor,
                                                      const std::vector<float>& slopes, std::uint64_t which) {
  double largest = 0;
  for (const float slope : slopes) largest = std::max(largest, std::abs(double{slope}));
  RandomStream stream(options_.seed, Purpose::test, 3, which);
  for (int sample = 0; sample < std::min<int>(options_.samples, static_cast<int>(tensor.size())); ++sample) {
    const auto i = static_cast<std::size_t>(stream.below(tensor.size()));
    const double wide = slope_at(tensor[i], options_.step);
    const double narrow = slope_at(tensor[i], options_.step / 2);
    const double scale = std::max({largest, std::abs(narrow), 1e-6});
    if (std::abs(wide - narrow) > 0.5 * options_.tolerance * scale) {
      ++report_.skipped;
      continue;
    }
    ++report_.checked;
    const double error = std::abs((4 * narrow - wide) / 3 - double{slopes[i]}) / scale;  // Richardson
    if (error <= report_.worst) continue;
    report_.worst = error;
    report_.worst_at = name + "[" + std::to_string(i) + "]";
  }
}

}  // namespace detail

POSEMACHINE_INLINE GradientCheck check_gradients(const Graph& network, Size image,
                                                 const GradientCheckOptions& options) {
  GradientCheck result = detail::GradientChecker(network, image, options).check();
  if (!(result.worst <= options.tolerance)) {
    fail<RuntimeFailure>({.where = "gradient of " + result.worst_at,
                          .expected = "an error of at most " + std::to_string(options.tolerance),
                          .got = std::to_string(result.worst) + " of the tensor's largest gradient"});
  }
  if (result.checked == 0) {
    fail<RuntimeFailure>({.where = "check_gradients",
                          .expected = "elements to compare",
                          .got = std::to_string(result.skipped) + " near a kink and none else",
                          .remedy = "take a smaller step, or a network with fewer kinks"});
  }
  return result;
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
