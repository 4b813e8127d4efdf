// Whole networks against PyTorch: outputs, gradients, 20 steps of every optimiser. make_reference.py writes the files.
#include "environment.hpp"
#include "formula.hpp"

#include <posemachine/core/tensor.hpp>
#include <posemachine/engine/batch_gradients.hpp>
#include <posemachine/engine/execution.hpp>
#include <posemachine/engine/prepared_weights.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/passes/remove_dropout.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/training/losses/squared_error.hpp>
#include <posemachine/training/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace pytorch_test {

using namespace posemachine;
using namespace posemachine::schedule;
using namespace posemachine::engine;

namespace {

constexpr Size image_size{formula::image_px, formula::image_px};

// What PyTorch computed (in float64) for one network, and the same network of ours.
struct Reference {
  TensorFile file;
  std::uint64_t salt = 0;
  Graph graph;

  Reference(const char* name, const char* file_name)
      : file(read_safetensors(test_environment::source_dir() / "tests/pytorch" / file_name)),
        salt(std::stoull(file.metadata.at("salt"))),
        graph(find_network(name)->build()) {}

  const std::vector<float>& values(const std::string& name) const {
    const AnyTensor* tensor = file.find(name);
    REQUIRE_MESSAGE(tensor != nullptr, name);
    return std::get<Tensor>(*tensor).values;
  }
  std::vector<Tensor> parameters() const { return formula::parameters(graph, salt); }
  std::string name(std::size_t id) const { return parameter_name(graph, static_cast<int>(id)); }
  std::size_t outputs() const { return graph.outputs.size(); }
};

const Reference& whole() {
  static const Reference reference("scaling-dilation", "scaling_dilation.safetensors");
  return reference;
}
const Reference& small() {
  static const Reference reference("scaling-dilation-small", "scaling_dilation_small.safetensors");
  return reference;
}

// The largest absolute difference; infinite where the counts differ or a value is no number.
double largest_difference(std::span<const float> ours, std::span<const float> theirs) {
  if (ours.size() != theirs.size()) return HUGE_VAL;
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(double{ours[i]} - double{theirs[i]});
    largest = difference >= 0 ? std::max(largest, difference) : HUGE_VAL;
  }
  return largest;
}

// The estimate of the L2 distance of two vectors from their signed sums.
double distance_of_sums(std::span<const double> ours, std::span<const float> theirs) {
  double sum = 0;
  for (std::size_t k = 0; k < ours.size(); ++k) sum += std::pow(ours[k] - double{theirs[k]}, 2);
  return std::sqrt(sum / static_cast<double>(ours.size()));
}

// Forward, loss and backward of a batch; the loss of all stages.
double compute(BatchGradients& gradients, const formula::Batch& batch, std::size_t stages, std::uint64_t step) {
  const int images = static_cast<int>(batch.map_weights.size() / formula::map_count);
  std::vector<double> losses(static_cast<std::size_t>(gradients.slice_count()));
  gradients.compute(
      "image", batch.images,
      [&](const SliceView& view) {
        const std::size_t first = static_cast<std::size_t>(view.first) * formula::map_count;
        const std::size_t count = static_cast<std::size_t>(view.count) * formula::map_count;
        const std::span targets = std::span(batch.targets).subspan(first * formula::cells, count * formula::cells);
        const std::span weights = std::span(batch.map_weights).subspan(first, count);
        for (std::size_t stage = 0; stage < stages; ++stage) {
          losses[static_cast<std::size_t>(view.index)] += heatmap_loss(
              {view.outputs[stage], targets, weights, formula::cells, images}, view.output_gradients[stage]);
        }
      },
      0, step);
  double total = 0;
  for (const double loss : losses) total += loss;
  return total;
}

// The worst over all parameters, each relative to its largest gradient.
struct GradientErrors {
  double sample = 0;  // of an entry the file holds
  double norm = 0;    // of the tensor's L2 norm
  double whole = 0;   // the L2 norm of the tensor's error, estimated from signed sums: no entry's error can be larger
  std::string where;  // of `whole`
};

GradientErrors gradient_errors(const Reference& reference, const std::vector<Tensor>& gradients) {
  GradientErrors worst;
  const std::vector<float>& samples = reference.values("gradient.samples");
  const std::vector<float>& sums = reference.values("gradient.signed_sums");
  const std::size_t sum_count = 32;
  std::size_t row = 0;  // of the file's tensors: one for each parameter that is trained
  for (std::size_t id = 0; id < gradients.size(); ++id) {
    if (!reference.graph.parameters[id].trainable) continue;
    const std::vector<double> ours(gradients[id].values.begin(), gradients[id].values.end());
    const double largest = double{reference.values("gradient.largest").at(row)};
    REQUIRE_MESSAGE(largest > 0, reference.name(id));
    double squares = 0;
    for (const double value : ours) squares += value * value;
    const double norm_difference = std::sqrt(squares) - double{reference.values("gradient.norm")[row]};
    worst.norm = std::max(worst.norm, std::abs(norm_difference) / largest);
    const auto positions = formula::positions(reference.salt, id, ours.size());
    for (std::size_t i = 0; i < positions.size(); ++i) {
      const double theirs = double{samples[row * positions.size() + i]};
      worst.sample = std::max(worst.sample, std::abs(ours[positions[i]] - theirs) / largest);
    }
    std::vector<double> our_sums(sum_count, 0.0);
    formula::add_signed_sums(reference.salt, id, ours, our_sums);
    const double distance = distance_of_sums(our_sums, std::span(sums).subspan(row * sum_count, sum_count)) / largest;
    if (!(distance <= worst.whole)) {
      worst.whole = distance;
      worst.where = reference.name(id);
    }
    ++row;
  }
  REQUIRE(sums.size() == row * sum_count);
  return worst;
}

// With 32 sums the estimate is below half of the true norm less often than once in 20,000 tensors: checked at half.
void check(const GradientErrors& errors, double tolerance) {
  MESSAGE("gradients, relative to each tensor's largest: sampled " << errors.sample << ", norms " << errors.norm);
  MESSAGE("and whole " << errors.whole << " in " << errors.where);
  CHECK(errors.sample <= tolerance);
  CHECK(errors.norm <= tolerance);
  CHECK(errors.whole <= tolerance / 2);
}

// 20 steps, each on a batch of its own, against `kind` of the file.
void check_steps(const std::string& kind, const OptimizerOptions& options, double rate) {
  const Reference& reference = whole();
  const std::vector<Tensor> before = reference.parameters();
  const auto parameters = std::make_shared<std::vector<Tensor>>(before);
  BatchGradients gradients(reference.graph, parameters, {.batch = 2, .slice = 1, .workers = 2, .image = image_size});
  Optimizer optimizer(reference.graph, options);
  const std::vector<float>& losses = reference.values(kind + ".losses");
  REQUIRE(losses.size() == 20);
  double loss_error = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const double loss = compute(gradients, formula::batch(reference.salt, step, 2), reference.outputs(), step);
    loss_error = std::max(loss_error, std::abs(loss / double{losses[step]} - 1));
    optimizer.update(*parameters, gradients.gradients(), rate, static_cast<std::int64_t>(step), gradients.workers());
  }
  const double movement = double{reference.values(kind + ".movement")[0]};
  const std::vector<float>& samples = reference.values(kind + ".movement_samples");
  const std::vector<float>& norms = reference.values(kind + ".movement_norm");
  std::vector<double> sums(reference.values(kind + ".signed_sums").size(), 0.0);
  double sampled_squares = 0;  // of the difference, each sample standing for its share of the tensor
  double norm_squares = 0;     // of the difference of the tensors' norms
  for (std::size_t id = 0; id < before.size(); ++id) {
    std::vector<double> moved(before[id].values.size());
    double squares = 0;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      moved[i] = double{(*parameters)[id].values[i]} - double{before[id].values[i]};
      squares += moved[i] * moved[i];
    }
    norm_squares += std::pow(std::sqrt(squares) - double{norms[id]}, 2);
    const auto positions = formula::positions(reference.salt, id, moved.size());
    const double share = static_cast<double>(moved.size()) / static_cast<double>(positions.size());
    for (std::size_t i = 0; i < positions.size(); ++i) {
      sampled_squares += share * std::pow(moved[positions[i]] - double{samples[id * positions.size() + i]}, 2);
    }
    formula::add_signed_sums(reference.salt, id, moved, sums);
  }
  const double whole_error = distance_of_sums(sums, reference.values(kind + ".signed_sums")) / movement;
  const double sampled_error = std::sqrt(sampled_squares) / movement;
  const double norm_error = std::sqrt(norm_squares) / movement;
  MESSAGE(kind << ", relative to the movement: whole " << whole_error << ", sampled " << sampled_error << ", norms "
               << norm_error << "; losses " << loss_error);
  // The mean square of 64 sums estimates the whole squared difference, whichever entries it sits in, with a deviation
  // of 18 %: below half of the norm less often than once in 10^8, so half of the 1e-2 that is promised bounds it.
  // Samples see a difference spread over all entries; a few entries with another sign, only the sums see.
  CHECK(whole_error <= 0.5e-2);
  CHECK(sampled_error <= 1e-2);
  CHECK(norm_error <= 1e-2);
  CHECK(loss_error <= 1e-3);
}

OptimizerOptions decaying(const std::string& kind, double decay, double momentum) {
  OptimizerOptions options;
  options.kind = kind;
  options.weight_decay = decay;
  options.decay_vectors = true;  // PyTorch decays every parameter
  options.momentum = momentum;
  return options;
}

void check_names(const Reference& reference) {
  std::string names;
  const std::size_t count = reference.graph.parameters.size();
  for (std::size_t id = 0; id < count; ++id) names += (id > 0 ? "\n" : "") + reference.name(id);
  CHECK(names == reference.file.metadata.at("parameters"));
}

}  // namespace

TEST_CASE("PyTorch: its networks have our parameters by the same names in the same order") {
  check_names(whole());
  check_names(small());
}

TEST_CASE("PyTorch: scaling-dilation gives the same heatmaps of every stage, for any batch and threads") {
  const Reference& reference = whole();
  const formula::Batch batch = formula::batch(reference.salt, 0, 2);
  const auto parameters = std::make_shared<const std::vector<Tensor>>(reference.parameters());
  for (const int threads : {1, 2}) {
    for (const int images : {1, 2}) {
      Execution execution(
          reference.graph, std::make_shared<PreparedWeights>(parameters),
          {.batch = images, .image = image_size, .threads = threads, .mode = Mode::inference, .passes = {}});
      REQUIRE(execution.output_count() == 4);
      double error = 0;
      const std::span<float> input = execution.input("image");
      for (std::size_t first = 0; first < batch.images.size(); first += input.size()) {
        std::copy_n(batch.images.data() + first, input.size(), input.begin());
        execution.run();
        for (std::size_t stage = 0; stage < execution.output_count(); ++stage) {
          const std::vector<float>& theirs = reference.values("output_" + std::to_string(stage + 1));
          const std::size_t size = execution.output(stage).size();
          const std::span part = std::span(theirs).subspan(size * (first / input.size()), size);
          error = std::max(error, largest_difference(execution.output(stage), part));
        }
      }
      MESSAGE("batch " << images << ", threads " << threads << ": outputs differ by at most " << error);
      CHECK(error <= 1e-4);
    }
  }
}

TEST_CASE("PyTorch: scaling-dilation has the same loss and gradients, in slices of 1 and 2 images") {
  const Reference& reference = whole();
  for (const int slice : {1, 2}) {
    CAPTURE(slice);
    const auto parameters = std::make_shared<std::vector<Tensor>>(reference.parameters());
    const BatchGradientsOptions options{.batch = 2, .slice = slice, .workers = 2, .image = image_size};
    BatchGradients gradients(reference.graph, parameters, options);
    const double loss = compute(gradients, formula::batch(reference.salt, 0, 2), reference.outputs(), 0);
    CHECK(loss == doctest::Approx(double{reference.values("loss")[0]}).epsilon(1e-5));
    check(gradient_errors(reference, gradients.gradients()), 1e-3);
  }
}

TEST_CASE("PyTorch: 20 steps of RMSprop lead to the same parameters, without momentum") {
  check_steps("rmsprop", decaying("rmsprop", 5e-4, 0), 1e-6);
}

TEST_CASE("PyTorch: 20 steps of RMSprop lead to the same parameters, with momentum") {
  check_steps("rmsprop_momentum", decaying("rmsprop", 5e-4, 0.9), 1e-6);
}

TEST_CASE("PyTorch: 20 steps of AdamW lead to the same parameters") {
  check_steps("adamw", decaying("adamw", 4, 0), 1e-5);
}

TEST_CASE("PyTorch: 20 steps of SGD with momentum lead to the same parameters") {
  check_steps("sgd_momentum", decaying("sgd", 8, 0.9), 1e-7);
}

TEST_CASE("PyTorch: scaling-dilation-small gives the same heatmaps with running statistics") {
  const Reference& reference = small();
  const auto parameters = std::make_shared<const std::vector<Tensor>>(reference.parameters());
  Execution execution(reference.graph, std::make_shared<PreparedWeights>(parameters),
                      {.batch = 4, .image = image_size, .threads = 2, .mode = Mode::inference, .passes = {}});
  const formula::Batch batch = formula::batch(reference.salt, 0, 4);
  std::copy(batch.images.begin(), batch.images.end(), execution.input("image").begin());
  execution.run();
  for (std::size_t stage = 0; stage < execution.output_count(); ++stage) {
    CAPTURE(stage);
    const std::vector<float>& theirs = reference.values("inference.output_" + std::to_string(stage + 1));
    CHECK(largest_difference(execution.output(stage), theirs) <= 1e-4);
  }
}

TEST_CASE("PyTorch: scaling-dilation-small in training has the same heatmaps, gradients and running statistics") {
  const Reference& reference = small();
  const formula::Batch batch = formula::batch(reference.salt, 0, 4);
  const auto parameters = std::make_shared<std::vector<Tensor>>(reference.parameters());
  // One slice: PyTorch takes the statistics of the whole batch.
  BatchGradients gradients(reference.graph, parameters, {.batch = 4, .slice = 4, .workers = 1, .image = image_size});
  const double loss = compute(gradients, batch, reference.outputs(), 0);
  CHECK(loss == doctest::Approx(double{reference.values("loss")[0]}).epsilon(1e-5));
  const Execution& execution = *gradients.executions().front();
  double output_error = 0;
  for (std::size_t stage = 0; stage < reference.outputs(); ++stage) {
    const std::vector<float>& theirs = reference.values("output_" + std::to_string(stage + 1));
    output_error = std::max(output_error, largest_difference(execution.output(stage), theirs));
  }
  const std::vector<float>& statistics = reference.values("statistics.samples");
  double statistics_error = 0;
  std::size_t row = 0;
  for (std::size_t id = 0; id < parameters->size(); ++id) {
    if (reference.graph.parameters[id].trainable) continue;
    const std::vector<float>& values = (*parameters)[id].values;
    const auto positions = formula::positions(reference.salt, id, values.size());
    for (const std::size_t position : positions) {
      statistics_error = std::max(statistics_error, std::abs(double{values[position]} - double{statistics.at(row++)}));
    }
  }
  CHECK(row == statistics.size());
  MESSAGE("outputs differ by at most " << output_error << ", running statistics by " << statistics_error);
  CHECK(output_error <= 1e-4);
  CHECK(statistics_error <= 1e-5);
  check(gradient_errors(reference, gradients.gradients()), 1e-3);
}

namespace {

struct NamedReference {
  const char* name;
  const char* file;
};

// Feeds the reference's one image, and its centre map where there is one.
void feed(Execution& execution, const Reference& reference, std::size_t px) {
  const formula::Batch batch = formula::batch(reference.salt, 0, 1, px);
  std::copy(batch.images.begin(), batch.images.end(), execution.input("image").begin());
  if (reference.graph.inputs.size() < 2) return;
  const std::vector<float> centres = formula::centre_maps(reference.salt, 0, 1, px);
  std::copy(centres.begin(), centres.end(), execution.input("centre").begin());
}

std::size_t size_of(const Reference& reference) { return std::stoul(reference.file.metadata.at("size")); }

}  // namespace

TEST_CASE("PyTorch: the other named networks give the same heatmaps of every stage, by the same parameters") {
  for (const NamedReference& each :
       {NamedReference{"cpm-3", "cpm_3.safetensors"}, NamedReference{"cpm-6", "cpm_6.safetensors"},
        NamedReference{"stacked-hourglass-small", "stacked_hourglass_small.safetensors"},
        NamedReference{"separable-residual", "separable_residual.safetensors"}}) {
    CAPTURE(std::string(each.name));
    const Reference reference(each.name, each.file);
    check_names(reference);
    const auto parameters = std::make_shared<const std::vector<Tensor>>(reference.parameters());
    const int px = static_cast<int>(size_of(reference));
    Execution execution(reference.graph, std::make_shared<PreparedWeights>(parameters),
                        {.image = {px, px}, .threads = 2, .mode = Mode::inference, .passes = {}});
    feed(execution, reference, size_of(reference));
    execution.run();
    double error = 0;
    REQUIRE(execution.output_count() == reference.outputs());
    for (std::size_t stage = 0; stage < execution.output_count(); ++stage) {
      const std::vector<float>& theirs = reference.values("output_" + std::to_string(stage + 1));
      double largest =
          1;  // these maps reach 150: an error is meant relative to the largest value, where that is above 1
      for (const float value : theirs) largest = std::max(largest, std::abs(double{value}));
      error = std::max(error, largest_difference(execution.output(stage), theirs) / largest);
    }
    MESSAGE(std::string(each.name) << ": outputs differ by at most " << error << " of the largest");
    CHECK(error <= 1e-5);
  }
}

namespace {

// Gradients of a network without its dropout, which is off in PyTorch's twin.
std::vector<Tensor> gradients_without_dropout(const Reference& reference, double* loss) {
  Graph graph = reference.graph;
  std::vector<Tensor> none;
  remove_dropout(graph, none);
  const std::size_t px = size_of(reference);
  const formula::Batch batch = formula::batch(reference.salt, 0, 1, px);
  const auto parameters = std::make_shared<std::vector<Tensor>>(reference.parameters());
  BatchGradients gradients(
      graph, parameters, {.batch = 1, .slice = 1, .workers = 1, .image = {static_cast<int>(px), static_cast<int>(px)}});
  const std::vector<float> centres = formula::centre_maps(reference.salt, 0, 1, px);
  std::copy(centres.begin(), centres.end(), gradients.executions().front()->input("centre").begin());
  const std::size_t cells = (px / 8) * (px / 8);
  gradients.compute(
      "image", batch.images,
      [&](const SliceView& view) {
        for (std::size_t stage = 0; stage < view.outputs.size(); ++stage) {
          *loss += heatmap_loss({view.outputs[stage], batch.targets, batch.map_weights, cells, 1},
                                view.output_gradients[stage]);
        }
      },
      0, 0);
  return gradients.gradients();
}

}  // namespace

TEST_CASE("PyTorch: cpm-3 has the same loss and gradients at 104 x 104") {
  const Reference reference("cpm-3", "cpm_3.safetensors");
  double loss = 0;
  const std::vector<Tensor> gradients = gradients_without_dropout(reference, &loss);
  CHECK(loss == doctest::Approx(double{reference.values("loss")[0]}).epsilon(1e-5));
  check(gradient_errors(reference, gradients), 1e-3);
}

TEST_CASE("cpm-6: every gradient is finite and no tensor's is all zero") {
  const Reference reference("cpm-6", "cpm_6.safetensors");
  double loss = 0;
  const std::vector<Tensor> gradients = gradients_without_dropout(reference, &loss);
  CHECK(std::isfinite(loss));
  for (std::size_t id = 0; id < gradients.size(); ++id) {
    double largest = 0;
    bool finite = true;
    for (const float value : gradients[id].values) {
      finite = finite && std::isfinite(value);
      largest = std::max(largest, std::abs(double{value}));
    }
    CHECK_MESSAGE((finite && largest > 0), reference.name(id));
  }
}

}  // namespace pytorch_test
