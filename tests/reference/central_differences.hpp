// Whether a graph's backward nodes compute the slopes of its forward nodes: central differences in double precision.
#pragma once

#include "fill.hpp"
#include "oracle.hpp"

#include <posemachine/core/geometry.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace posemachine::reference {

/// What was compared. An element is skipped where two steps see different slopes: a kink of relu or max_pool is near.
struct SlopeReport {
  int checked = 0;
  int skipped = 0;
  double worst = 0;      // error relative to the largest entry of the tensor's gradient
  std::string worst_at;  // "image[17]"
};

namespace detail {

// The sum over all outputs of cotangent times value, and the sum of the terms' sizes, which bounds its rounding error.
struct Loss {
  double value = 0;
  double magnitude = 0;
};

inline Loss loss_of(const Graph& network, const Result& result, const Inputs& cotangents) {
  Loss loss;
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    const Array& output = result[Value{network.outputs[i].value}];
    const Array& cotangent = cotangents.at("diff_" + output_name(network, i));
    for (std::size_t k = 0; k < output.values.size(); ++k) {
      loss.value += output.values[k] * cotangent.values[k];
      loss.magnitude += std::abs(output.values[k] * cotangent.values[k]);
    }
  }
  return loss;
}

class SlopeChecker {
 public:
  SlopeChecker(const Graph& network, int batch, Size image, const Context& context, std::uint64_t seed)
      : network_(network), batch_(batch), image_(image), context_(context) {
    const Graph training = differentiate(network, {.input_gradients = true});
    given_ = fill(training, batch, image, seed);
    const Result result = run(training, batch, image, given_.inputs, given_.parameters, context);
    magnitude_ = loss_of(network, result, given_.inputs).magnitude;
    parameter_slopes_ = result.gradients;
    for (const Port& port : network.inputs) {
      const std::string name(name_text(network, port.name));
      const auto reached = std::find_if(training.outputs.begin(), training.outputs.end(), [&](const Port& output) {
        return name_text(training, output.name) == "diff_" + name;
      });
      std::vector<double>& slopes = input_slopes_[name];
      if (reached != training.outputs.end()) slopes = result[Value{reached->value}].values;
      slopes.resize(given_.inputs.at(name).values.size());  // no output depends on it: zeros
    }
  }

  SlopeReport check(int samples, RandomStream stream) {
    for (const auto& [name, slopes] : input_slopes_) {
      check_tensor(name, given_.inputs.at(name).values, slopes, samples, stream);
    }
    for (std::size_t id = 0; id < given_.parameters.size(); ++id) {
      if (!network_.parameters[id].trainable) continue;
      const std::string name = parameter_name(network_, static_cast<int>(id));
      check_tensor(name, given_.parameters[id], parameter_slopes_[id], samples, stream);
    }
    return report_;
  }

 private:
  double slope(double& element, double step) {
    const double kept = element;
    element = kept + step;
    const double above = loss();
    element = kept - step;
    const double below = loss();
    element = kept;
    return (above - below) / (2 * step);
  }

  double loss() const {
    const Result result = run(network_, batch_, image_, given_.inputs, given_.parameters, context_);
    return loss_of(network_, result, given_.inputs).value;
  }

  void check_tensor(const std::string& name, std::vector<double>& tensor, const std::vector<double>& slopes,
                    int samples, RandomStream& stream) {
    double largest = 0;
    for (const double each : slopes) largest = std::max(largest, std::abs(each));
    constexpr double step = 1e-5;
    // The loss is rounded at some 16 places on a term's way, and the difference is divided by the step.
    const double rounding = 16 * std::numeric_limits<double>::epsilon() * magnitude_ / step;
    for (int sample = 0; sample < samples; ++sample) {
      const auto i = static_cast<std::size_t>(stream.below(tensor.size()));
      const double wide = slope(tensor[i], step);
      const double narrow = slope(tensor[i], step / 2);
      if (std::abs(wide - narrow) > 1e-6 * largest + rounding) {
        ++report_.skipped;
        continue;
      }
      ++report_.checked;
      const double excess = std::max(0.0, std::abs((4 * narrow - wide) / 3 - slopes[i]) - rounding);
      const double error = excess == 0 ? 0 : excess / std::max(largest, std::numeric_limits<double>::min());
      if (error <= report_.worst) continue;
      report_.worst = error;
      report_.worst_at = name + "[" + std::to_string(i) + "]";
    }
  }

  const Graph& network_;
  int batch_;
  Size image_;
  Context context_;
  Filling given_;
  double magnitude_ = 0;
  std::map<std::string, std::vector<double>> input_slopes_;
  Parameters parameter_slopes_;
  SlopeReport report_;
};

}  // namespace detail

/// Compares the gradients that differentiate() gives with central differences, at `samples` elements of every input and
/// trainable parameter. The loss is a random linear function of all outputs.
inline SlopeReport check_slopes(const Graph& network, int batch, Size image, const Context& context, std::uint64_t seed,
                                int samples) {
  detail::SlopeChecker checker(network, batch, image, context, seed);
  return checker.check(samples, RandomStream(seed, Purpose::test, 4));
}

}  // namespace posemachine::reference
