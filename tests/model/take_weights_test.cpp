// take_weights: what fits is taken, and what does not is said.
#include <posemachine/compose.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/model/grey_input.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/take_weights.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace take_weights_test {

using namespace posemachine;

namespace {

using Names = std::vector<std::string>;

struct Two : Network<Input<"image", 3>, ConvReLU<8, 3, Norm::batch>, AveragePool<8>, Conv<15, 1>, Output<"heatmaps">> {
};
struct Wider
    : Network<Input<"image", 3>, ConvReLU<9, 3, Norm::batch>, AveragePool<8>, Conv<15, 1>, Output<"heatmaps">> {};
struct Deeper : Network<Input<"image", 3>, ConvReLU<8, 3, Norm::batch>, AveragePool<8>, Conv<15, 1>, Output<"heatmaps">,
                        Conv<15, 3>, Output<"heatmaps">> {};
struct FewerMaps
    : Network<Input<"image", 3>, ConvReLU<8, 3, Norm::batch>, AveragePool<8>, Conv<4, 1>, Output<"heatmaps">> {};

struct Dense : Network<Input<"image", 3>, Conv<9, 3>, AveragePool<8>, Conv<15, 1>, Output<"heatmaps">> {};
struct Grouped : Network<Input<"image", 3>, Conv<9, 3, ConvolutionOptions{.groups = 3}>, AveragePool<8>, Conv<15, 1>,
                         Output<"heatmaps">> {};

ModelSpec three_joints() {
  ModelSpec spec;
  spec.joints = JointSet();
  spec.joints.name = "three";
  spec.joints.joints = {"left", "right", "top"};
  spec.joints.pairs = {{0, 1}};
  return spec;
}

const Tensor& tensor(const Model& model, const std::string& name) {
  for (std::size_t id = 0; id < model.parameters().size(); ++id) {
    if (parameter_name(model.graph(), static_cast<int>(id)) == name) return model.parameters()[id];
  }
  FAIL("no tensor " << name);
  return model.parameters().front();
}

}  // namespace

TEST_CASE("take_weights: all of a network's own weights are taken, statistics included") {
  const Model source = Model::random<Two>(1);
  const TakenWeights result = take_weights(Model::random<Two>(2), source);
  CHECK(result.model.to_bytes() == source.to_bytes());
  CHECK(result.left.empty());
  CHECK(result.taken.size() == source.parameters().size());
}

TEST_CASE("take_weights: a file without a network gives its tensors by their names, 16-bit floats too") {
  const Model source = Model::random<Two>(1);
  TensorFile file = parse_safetensors(source.with_weights_stored_as(DataType::f16).to_bytes(), "m");
  file.metadata.clear();
  file.tensors.push_back({"epoch", TensorOf<std::int32_t>({1})});
  const TakenWeights result = take_weights(Model::random<Two>(2), file, "m");
  CHECK(result.taken.size() == source.parameters().size());
  CHECK(result.model.parameters()[0].values == to_floats(from_floats(source.parameters()[0], DataType::f16)).values);
  file.tensors.erase(file.tensors.begin(), file.tensors.end() - 1);
  CHECK_THROWS_WITH_AS(take_weights(Model::random<Two>(2), file, "m.safetensors"),
                       doctest::Contains("got none among the 0 of m.safetensors"), UsageError);
}

TEST_CASE("take_weights: names that are new and shapes that differ stay as they were, and are named") {
  const Model source = Model::random<Two>(1);
  const Model deeper = Model::random<Deeper>(2);
  const TakenWeights more = take_weights(deeper, source);
  CHECK(more.left == Names{"Conv_3.weights (no such tensor)", "Conv_3.bias (no such tensor)"});
  CHECK(tensor(more.model, "Conv_2.weights").values == tensor(source, "Conv_2.weights").values);
  CHECK(tensor(more.model, "Conv_3.weights").values == tensor(deeper, "Conv_3.weights").values);
  const Model wider = Model::random<Wider>(2);
  const TakenWeights other = take_weights(wider, source);
  CHECK(other.taken == Names{"Conv_2.bias"});
  CHECK(other.left.size() == wider.parameters().size() - 1);
  CHECK(other.left.back() == "Conv_2.weights (of shape (15, 8, 1, 1) there, (15, 9, 1, 1) here)");
}

TEST_CASE("take_weights: between colours and grey a grey picture gives the same, and everything else is as it was") {
  const auto described = [] { return NetworkDescription{"two", graph_of<Two>(), ModelSpec()}; };
  const Model colours = Model::random(described(), 1);
  const Model grey = Model::random(with_grey_input(described()), 2);
  // The convolution's answer at one place, to a picture that is 0.5 in every channel; double, from the definition.
  const auto answer_to_grey = [](const Model& model, std::size_t out) {
    const Tensor& weights = tensor(model, "Conv_1.weights");
    const auto per_output = static_cast<std::size_t>(weights.shape[1] * weights.shape[2] * weights.shape[3]);
    double sum = 0;
    for (std::size_t i = 0; i < per_output; ++i) sum += 0.5 * double{weights.values[out * per_output + i]};
    return sum;
  };
  for (const auto& [source, begun] : {std::pair{colours, grey}, {grey, colours}}) {
    const TakenWeights result = take_weights(begun, source);
    CHECK(result.left.empty());
    CHECK(tensor(result.model, "Conv_1.weights").shape == tensor(begun, "Conv_1.weights").shape);
    for (std::size_t out = 0; out < 8; ++out) {
      CHECK(answer_to_grey(result.model, out) == doctest::Approx(answer_to_grey(source, out)).epsilon(1e-5));
    }
    CHECK(tensor(result.model, "Conv_2.weights").values == tensor(source, "Conv_2.weights").values);
  }
  // Each channel by itself, not only their sum.
  const Tensor& weights = tensor(colours, "Conv_1.weights");
  const TakenWeights begun = take_weights(grey, colours);
  const Tensor& summed = tensor(begun.model, "Conv_1.weights");
  CHECK(summed.values[4] == doctest::Approx(weights.values[4] + weights.values[13] + weights.values[22]));
  // A file without a network: three channels are colours, and one is grey.
  const TensorFile file = parse_safetensors(colours.to_bytes(), "m");
  const TakenWeights of_file = take_weights(grey, file, "m");
  CHECK(tensor(of_file.model, "Conv_1.weights").values == summed.values);
  // One channel of a convolution in groups is a colour of its own, not grey.
  const TakenWeights in_groups = take_weights(Model::random<Dense>(1), Model::random<Grouped>(1));
  CHECK(in_groups.left == Names{"Conv_1.weights (of shape (9, 1, 3, 3) there, (9, 3, 3, 3) here)"});
  // Other shapes than those of an image's channels are no matter of colours.
  const Model wider = Model::random({"wider", graph_of<Wider>(), ModelSpec()}, 1);
  CHECK(take_weights(grey, wider).left.front().starts_with("Conv_1.weights (of shape (9, 3, 3, 3) there"));
}

TEST_CASE("take_weights: the maps of other joints are not taken") {
  const Model source = Model::random<Two>(1);
  const Model target = Model::random<FewerMaps>(2, three_joints());
  const TakenWeights result = take_weights(target, source);
  CHECK(tensor(result.model, "Conv_2.weights").values == tensor(target, "Conv_2.weights").values);
  CHECK(result.left.size() == 2);
  // Even where the shapes fit: as many joints, but others.
  ModelSpec renamed;
  renamed.joints.joints.front() = "left_antenna";
  renamed.joints.name = "insects";
  const Model same_shape = Model::random<Two>(2, renamed);
  const TakenWeights fits = take_weights(same_shape, source);
  CHECK(fits.left == Names{"Conv_2.weights (of maps of other joints)", "Conv_2.bias (of maps of other joints)"});
  CHECK(tensor(fits.model, "Conv_2.weights").values == tensor(same_shape, "Conv_2.weights").values);
}

TEST_CASE("take_weights: the maps of other joints are not taken either where something follows the last layer") {
  struct Followed : Network<Input<"image", 3>, ConvReLU<8, 3>, Conv<15, 1>, BatchNorm<>, Sigmoid, AveragePool<8>,
                            Output<"heatmaps">> {};
  ModelSpec swapped;
  std::swap(swapped.joints.joints[0], swapped.joints.joints[1]);
  const TakenWeights followed = take_weights(Model::random<Followed>(1, swapped), Model::random<Followed>(2));
  CHECK(followed.taken == Names{"Conv_1.weights", "Conv_1.bias"});
  CHECK(followed.left.size() == 6);
}

TEST_CASE("take_weights: a model with nothing in common is refused") {
  struct Plain : Network<Input<"image", 3>, AveragePool<8>, Conv<15, 3>, Output<"heatmaps">> {};
  CHECK_THROWS_WITH_AS(take_weights(Model::random<Plain>(1), Model::random<FewerMaps>(1, three_joints())),
                       doctest::Contains("expected at least one tensor"), UsageError);
}

}  // namespace take_weights_test
