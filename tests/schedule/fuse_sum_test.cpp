// fuse_sum on small schedules, and what the kernels then compute.
#include "engine/agreement.hpp"
#include "schedule/memory_model.hpp"

#include <posemachine/graph/build.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/schedule/make_schedule.hpp>
#include <posemachine/schedule/passes/fuse_activation.hpp>
#include <posemachine/schedule/passes/fuse_sum.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace fuse_sum_test {

using namespace posemachine;
using namespace posemachine::schedule;
using schedule_test::step_of;

namespace {

Schedule fused(const Graph& graph, bool with_activation = true, Mode mode = Mode::inference) {
  Schedule schedule = make_schedule(graph, 1, {8, 8}, mode);
  fuse_sum(schedule);
  if (with_activation) fuse_activation(schedule);
  return schedule;
}

// image -> y; z = conv(relu(conv(y))); add(z, y); what follows reads the sum.
struct Residual {
  Graph graph;
  Value y, z, sum;

  explicit Residual(bool y_first = false) {
    y = convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3});
    z = convolution(graph, relu(graph, convolution(graph, y, {.out = 16, .kernel = 3})), {.out = 16, .kernel = 3});
    sum = y_first ? add(graph, std::array{y, z}) : add(graph, std::array{z, y});
  }
  void finish(Value value) { add_output(graph, "out", convolution(graph, value, {.out = 4})); }
};

}  // namespace

TEST_CASE("fuse_sum: the convolution takes in the sum and the ReLU that alone reads it, and lies where y lay") {
  for (const bool y_first : {false, true}) {
    Residual net(y_first);
    const Value after = relu(net.graph, net.sum);
    net.finish(after);
    const Schedule schedule = fused(net.graph);
    CHECK(schedule.steps.size() == net.graph.nodes.size() - 3);  // the sum and both activations
    const Step* step = step_of(schedule, net.z);
    REQUIRE(step != nullptr);
    CHECK(step->summand() == net.y.id);
    CHECK(step->activation() >= 0);
    CHECK(step->dst == after.id);
    CHECK(schedule.value(net.y.id).parent == after.id);
    CHECK(schedule.value(net.y.id).last_step == 3);  // input, y, hidden with its relu, z
    CHECK(schedule.value(net.z.id).first_step == -1);
    CHECK(schedule.value(net.sum.id).first_step == -1);
    const Schedule alone = fused(net.graph, /*with_activation=*/false);
    CHECK(alone.steps.size() == net.graph.nodes.size() - 1);
    CHECK(step_of(alone, net.z)->activation() == -1);
    CHECK(step_of(alone, net.z)->dst == net.sum.id);
  }
}

TEST_CASE("fuse_sum: nothing changes where y, or what the convolution made, is needed by others") {
  const auto unchanged = [](const Graph& graph, Mode mode = Mode::inference) {
    return fused(graph, /*with_activation=*/false, mode).steps.size() == graph.nodes.size();
  };
  Residual read_after;
  read_after.finish(concat(read_after.graph, {read_after.sum, read_after.y}));
  CHECK(unchanged(read_after.graph));
  Residual read_twice;
  read_twice.finish(concat(read_twice.graph, {read_twice.sum, read_twice.z}));
  CHECK(unchanged(read_twice.graph));
  Residual output;
  add_output(output.graph, "y", output.y);
  output.finish(output.sum);
  CHECK(unchanged(output.graph));
  // y is read between the convolution and the sum.
  Graph between;
  const Value y = convolution(between, add_input(between, "image", 3), {.out = 16, .kernel = 3});
  const Value z = convolution(between, sigmoid(between, y), {.out = 16, .kernel = 3});
  const Value late = sigmoid(between, y);
  add_output(between, "out", concat(between, {add(between, std::array{z, y}), late}));
  CHECK(unchanged(between));
  // The convolution reads y itself: it would overwrite what it still reads.
  Graph itself;
  const Value own = convolution(itself, add_input(itself, "image", 3), {.out = 16, .kernel = 3});
  add_output(itself, "out", add(itself, std::array{convolution(itself, own, {.out = 16, .kernel = 3}), own}));
  CHECK(unchanged(itself));
  // In training y is needed once more, for the gradient of the convolution that read it.
  Residual trained;
  trained.finish(trained.sum);
  CHECK(unchanged(differentiate(trained.graph), Mode::training));
}

TEST_CASE("fuse_sum: an activation in front of the body does not go into the convolution whose dst the sum needs") {
  // y = conv(image); z = conv(relu(conv(relu(y)))); add(z, y): relu(y) is not the only reader of y.
  for (const int batch : {1, 2}) {
    Graph graph;
    const Value y = convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3});
    const Value front = relu(graph, y);
    const Value hidden = relu(graph, convolution(graph, front, {.out = 16, .kernel = 3}));
    const Value z = convolution(graph, hidden, {.out = 16, .kernel = 3});
    add_output(graph, "out", convolution(graph, add(graph, std::array{z, y}), {.out = 4}));
    const Schedule schedule = schedule_test::schedule_of(graph, batch, {8, 8}, 16, {});
    REQUIRE(step_of(schedule, z) != nullptr);
    CHECK(step_of(schedule, z)->summand() == y.id);
    CHECK(step_of(schedule, y)->activation() == -1);
    CHECK(step_of(schedule, y)->dst == y.id);
    CHECK(schedule_test::first_damage(schedule) == "");
    engine_test::check_forward(graph, batch, {8, 8}, {}, "activation in front");
  }
}

TEST_CASE("fuse_sum: a summand that is a concat, or that slices and concats share, loses nothing") {
  // The branches of the concat are read after the sum that writes over it.
  Graph graph;
  const Value image = add_input(graph, "image", 3);
  const Value a = convolution(graph, image, {.out = 16, .kernel = 3});
  const Value b = convolution(graph, image, {.out = 16, .kernel = 3});
  const Value joined = concat(graph, {a, b});
  const Value z = convolution(graph, relu(graph, convolution(graph, a, {.out = 16, .kernel = 3})), {.out = 32});
  const Value sum = add(graph, std::array{z, joined});
  add_output(graph, "out", convolution(graph, concat(graph, {sum, a, b}), {.out = 4}));
  const Schedule schedule = schedule_test::schedule_of(graph, 1, {8, 8}, 16, {});
  REQUIRE(step_of(schedule, z) != nullptr);
  CHECK(step_of(schedule, z)->summand() == joined.id);
  CHECK(schedule_test::first_damage(schedule) == "");
  engine_test::check_forward(graph, 1, {8, 8}, {}, "concat as summand");
  // The summand is a branch of a concat as well, before the sum.
  Graph branch;
  const Value y = convolution(branch, add_input(branch, "image", 3), {.out = 16, .kernel = 3});
  const Value both = concat(branch, {y, convolution(branch, y, {.out = 16})});
  const Value w = convolution(branch, relu(branch, convolution(branch, both, {.out = 16})), {.out = 16});
  const Value total = add(branch, std::array{w, y});
  add_output(branch, "out", convolution(branch, concat(branch, {total, both}), {.out = 4}));
  CHECK(schedule_test::first_damage(schedule_test::schedule_of(branch, 1, {8, 8}, 16, {})) == "");
  engine_test::check_forward(branch, 1, {8, 8}, {}, "summand as branch");
}

TEST_CASE("fuse_sum: of two convolutions in a sum the later one adds to the earlier one's dst, in training too") {
  Graph graph;
  const Value x = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = 16, .kernel = 3}));
  const Value body = convolution(graph, x, {.out = 24, .kernel = 3, .stride = 2});
  const Value projected = convolution(graph, x, {.out = 24, .stride = 2});
  const Value sum = relu(graph, add(graph, std::array{body, projected}));
  add_output(graph, "out", convolution(graph, sum, {.out = 4}));
  const Schedule schedule = fused(graph);
  CHECK(step_of(schedule, projected)->summand() == body.id);
  CHECK(step_of(schedule, projected)->dst == sum.id);
  const Graph gradients = differentiate(graph);
  const Schedule training = fused(gradients, true, Mode::training);
  CHECK(step_of(training, projected)->summand() == body.id);
}

TEST_CASE("fuse_sum: chains of residual blocks equal the oracle, forward and backward, at ragged channels too") {
  for (const int channel_count : {1, 15, 16, 17, 33}) {
    for (const int groups : {1, channel_count}) {
      Graph graph;
      Value value = relu(graph, convolution(graph, add_input(graph, "image", 3), {.out = channel_count, .kernel = 3}));
      for (int block = 0; block < 3; ++block) {
        const Value hidden =
            relu(graph, convolution(graph, value, {.out = channel_count, .kernel = 3, .groups = groups}));
        const Value learnt = convolution(graph, hidden, {.out = channel_count, .kernel = 1 + 2 * (block % 2)});
        value = add(graph, std::array{value, learnt});
        if (block != 1) value = relu(graph, value);
      }
      add_output(graph, "out", value);
      int sums = 0;
      for (const Step& step : fused(graph).steps) sums += step.summand() >= 0 ? 1 : 0;
      CHECK(sums == 3);
      for (const int batch : {1, 3}) {
        const std::string what = "residual " + std::to_string(channel_count) + " groups " + std::to_string(groups);
        engine_test::check_forward(graph, batch, {7, 9}, {}, what);
        bool checked = false;
        for (std::uint64_t seed = 12; !checked && seed < 20; ++seed) {
          checked = engine_test::check_gradients(graph, batch, {7, 9}, {}, what, seed);
        }
        CHECK(checked);
      }
    }
  }
}

}  // namespace fuse_sum_test
