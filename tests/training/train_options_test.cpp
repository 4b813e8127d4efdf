// Training options as JSON: everything there and back, and words for what is wrong.
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/training/train_options.hpp>

#include <doctest/doctest.h>

#include <string>

namespace train_options_test {

using namespace posemachine;

namespace {

TrainOptions read(const std::string& text) { return train_options_from_json(parse_json(text, "test"), "train"); }

void check_refused(const std::string& text, const std::string& message) {
  INFO(text);
  CHECK_THROWS_WITH_AS(read(text), doctest::Contains(message.c_str()), UsageError);
}

}  // namespace

TEST_CASE("TrainOptions: a group's decay is checked where no JSON was read, too") {
  TrainOptions options;
  options.groups = {{.match = "*", .weight_decay = -0.5}};
  CHECK_THROWS_WITH_AS(check(options), doctest::Contains("groups[0].weight_decay"), UsageError);
}

TEST_CASE("TrainOptions: every option survives JSON, none at its default") {
  const Json other =
      parse_json(R"({"seed": 8000000000000001, "epochs": 7, "batch": 12, "slice": 3, "recompute": true, "workers": 5,
    "loader_workers": 3, "cache_mb": 64, "loss": "cross_entropy",
    "optimizer": "rmsprop", "weight_decay": 0.0005, "decay_vectors": true, "momentum": 0.9, "rho": 0.95, "beta1": 0.8,
    "beta2": 0.98, "epsilon": 1e-7, "rate": 0.0001, "schedule": "constant", "warmup_steps": 11, "final_fraction": 0.2,
    "cooldown_epochs": 6, "rate_step_epochs": 4, "rate_step_factor": 0.25, "plateau_epochs": 2,
    "groups": [{"match": "*.bias", "rate": 0.5, "weight_decay": 0.0}, {"match": "Conv_?.*", "rate": 2.0}],
    "clip_norm": 1.5, "average_decay": 0.99, "on_not_finite": "lower", "augment": false, "rotation_deg": 30.5,
    "scale_min": 0.8, "scale_max": 1.2,
    "flip": 0.25, "shift": 0.125, "brightness": 0.2, "contrast": 0.3, "colour": 0.4, "turn": 0.5, "close_up": 0.6,
    "cutout": 0.7, "mask_unlabelled": false,
    "checkpoint_steps": 77, "validate_epochs": 3, "stop_epochs": 9, "keep_checkpoints": 4, "log_steps": 0,
    "pictures": 5})",
                 "test");
  const TrainOptions options = train_options_from_json(other, "train");
  CHECK(train_options_to_json(options) == other);
  const Json defaults = train_options_to_json({});
  REQUIRE(defaults.size() == other.size());
  for (const auto& item : defaults.items()) {
    INFO(item.key());
    CHECK(other.at(item.key()) != item.value());  // so that the comparison above cannot pass by forgetting the key
  }
  CHECK(options.optimizer.kind == "rmsprop");
  CHECK(options.seed == 8000000000000001);
  CHECK(options.augmentation.flip_probability == 0.25);
}

TEST_CASE("TrainOptions: keys that are absent keep their values") {
  TrainOptions base;
  base.epochs = 99;
  const TrainOptions options = train_options_from_json(parse_json(R"({"rate": 1})", "test"), "train", base);
  CHECK(options.epochs == 99);
  CHECK(options.rate == 1);
  CHECK(options.batch == 32);
}

TEST_CASE("TrainOptions: unknown keys, wrong types and values out of range are refused by name") {
  check_refused(R"({"epoch": 3})", "train.epoch: expected a known key, got an unknown one; did you mean \"epochs\"?");
  check_refused(R"({"optimizer": "adam"})", "train.optimizer: expected one of rmsprop, sgd, adamw");
  check_refused(R"({"optimizer": "adam"})", "got \"adam\"; did you mean \"adamw\"?");
  check_refused(R"({"schedule": 3})", "train.schedule: expected a string");
  check_refused(R"({"cooldown_epochs": 2})", "train.cooldown_epochs: expected 0 but for the schedule constant, got 2");
  check_refused(R"({"epochs": 0})", "train.epochs: expected an integer from 1");
  check_refused(R"({"epochs": 1.5})", "train.epochs: expected an integer");
  check_refused(R"({"epochs": 1e30})", "train.epochs");
  check_refused(R"({"seed": -1})", "train.seed");
  check_refused(R"({"seed": 18446744073709551615})", "train.seed");
  check_refused(R"({"momentum": 1})", "train.momentum");
  check_refused(R"({"rate": "fast"})", "train.rate: expected a number");
  check_refused(R"({"on_not_finite": "skipp"})", "train.on_not_finite: expected one of stop, skip, lower");
  check_refused(R"({"average_decay": 1})", "train.average_decay");
  check_refused(R"({"groups": {}})", "train.groups");
  check_refused(R"({"groups": ["*.bias"]})",
                R"(train.groups[0]: expected an object, as {"match": "*.bias", "rate": 2})");
  check_refused(R"({"groups": [{"match": "*"}, {"rate": 1}]})", "train.groups[1]");
  check_refused(R"({"groups": [{"match": "*", "rates": 1}]})", "did you mean \"rate\"?");
  check_refused(R"({"groups": [{"match": "*", "rate": -1}]})", "train.groups[0].rate");
  check_refused(R"({"augment": 1})", "train.augment: expected true or false");
  check_refused(R"({"batch": 30, "slice": 8})", "train.batch: expected a multiple of the slice, 8");
  check_refused(R"({"scale_min": 1.5})", "train.scale_min: expected at most scale_max, 1.3");
  check_refused("[]", "train: expected an object");
}

TEST_CASE("TrainOptions: losses, optimisers and schedules are the rows of the kinds, a user's own included") {
  check_refused(R"({"loss": "Huber"})", "train.loss: expected one of squared_error, cross_entropy");
  check_refused(R"({"loss": "Huber"})", "got \"Huber\"; did you mean \"huber\"?");
  check_refused(R"({"loss": "focal_2"})",
                "got \"focal_2\"; a user's own is known only to a program that brings it (TrainKinds)");
  check_refused(R"({"schedule": "cosin"})", "train.schedule: expected one of constant, step, cosine, plateau");
  constexpr RateSchedule mine{
      .name = "mine", .cools_down = true, .factor = [](const LearningRate&, std::int64_t) { return 1.0; }};
  const TrainKinds kinds{.schedules = {mine}};
  const Json json = parse_json(R"({"schedule": "mine", "cooldown_epochs": 2})", "test");
  CHECK(train_options_from_json(json, "train", {}, kinds).schedule == "mine");
  CHECK_THROWS_WITH_AS(train_options_from_json(parse_json(R"({"cooldown_epochs": 2})", "test"), "train", {}, kinds),
                       doctest::Contains("0 but for the schedule constant, mine"), UsageError);
}

TEST_CASE("TrainOptions: options made in a program are held to the same ranges") {
  TrainOptions options;
  CHECK_NOTHROW(check(options));
  options.checkpoint_steps = 0;
  CHECK_THROWS_WITH_AS(check(options), doctest::Contains("options.checkpoint_steps"), UsageError);
}

}  // namespace train_options_test
