// Checkpoints: there and back to the byte, refused in words, and safe against every failing system call.
#include "small_run.hpp"

#include <posemachine/base/files.hpp>
#include <posemachine/base/json.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/model/safetensors.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/optimizer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace checkpoint_test {

using namespace posemachine;

namespace {

void fill(std::vector<std::vector<float>>& moments, std::uint64_t seed) {
  RandomStream stream(seed, Purpose::test);
  for (std::vector<float>& values : moments) {
    for (float& value : values) value = static_cast<float>(stream.uniform());
  }
}

Checkpoint sample(const std::string& kind = "adamw", double momentum = 0) {
  Checkpoint checkpoint{small_run::tiny_model().with_note("author", "a \"name\"\n")};
  checkpoint.options = small_run::tiny_options();
  checkpoint.options.optimizer.kind = kind;
  checkpoint.options.optimizer.momentum = momentum;
  checkpoint.step = 123456789012;
  checkpoint.best_score = 41.0 / 3;
  const Optimizer optimizer(checkpoint.model.graph(), checkpoint.options.optimizer);
  checkpoint.moments = optimizer.state();
  for (OptimizerState& each : checkpoint.moments) fill(each.values, each.name.size());
  checkpoint.epoch_losses = {1.0 / 3, 1e300};
  checkpoint.epoch_steps = 17;
  checkpoint.people = "14 people, 0123456789abcdef";
  checkpoint.average = small_run::tiny_model(4).parameters();
  checkpoint.plateau = {.judged_epoch = 6, .best = -1.0 / 3, .best_epoch = 4, .lowered_epoch = 2};
  checkpoint.rate_factor = 0.125;
  checkpoint.skipped = 5;
  checkpoint.skipped_in_a_row = 3;
  checkpoint.optimizer_start = 99;
  return checkpoint;
}

// The bytes of a checkpoint whose state is changed.
template <class Change>
std::string altered(Change&& change) {
  TensorFile file = parse_safetensors(checkpoint_to_bytes(sample()), "sample");
  Json state = parse_json(file.metadata.at("posemachine.training"), "state");
  change(file, state);
  file.metadata["posemachine.training"] = state.dump();
  return write_safetensors(file);
}

void check_refused(const std::string& bytes, const std::string& message) {
  INFO(message);
  CHECK_THROWS_WITH_AS(checkpoint_from_bytes(bytes, "last.safetensors"), doctest::Contains(message.c_str()),
                       ModelError);
}

// Calls that fail once their count reaches `fail_at`.
int call_count = 0;
int fail_at = 0;
int failure = EIO;
bool fails() {
  if (++call_count != fail_at) return false;
  errno = failure;
  return true;
}

FileSystemCalls failing_calls() {
  FileSystemCalls calls;
  calls.open = [](const char* path, int flags, mode_t mode) { return fails() ? -1 : ::open(path, flags, mode); };
  calls.write = [](int file, const void* bytes, std::size_t count) -> ssize_t {
    return fails() ? -1 : ::write(file, bytes, count < 3000 ? count : 3000);  // short writes, so that there are many
  };
  calls.fsync = [](int file) { return fails() ? -1 : ::fsync(file); };
  calls.close = [](int file) {
    const bool failed = fails();
    const int result = ::close(file);
    if (failed) errno = failure;
    return failed ? -1 : result;
  };
  calls.rename = [](const char* from, const char* to) { return fails() ? -1 : std::rename(from, to); };
  return calls;
}

}  // namespace

TEST_CASE("checkpoint: bytes, and everything in them, come back for every optimiser") {
  for (const auto& [kind, momentum] :
       {std::pair{"adamw", 0.0}, {"sgd", 0.0}, {"sgd", 0.9}, {"rmsprop", 0.0}, {"rmsprop", 0.9}, {"radam", 0.0}}) {
    const Checkpoint before = sample(kind, momentum);
    const std::string bytes = checkpoint_to_bytes(before);
    const Checkpoint after = checkpoint_from_bytes(bytes, "test");
    CHECK(checkpoint_to_bytes(after) == bytes);
    CHECK(after.step == before.step);
    CHECK(after.best_score == before.best_score);
    CHECK(after.moments == before.moments);
    CHECK(after.epoch_losses == before.epoch_losses);
    CHECK(after.epoch_steps == 17);
    CHECK(after.people == before.people);
    REQUIRE(after.average.size() == before.average.size());
    for (std::size_t id = 0; id < after.average.size(); ++id) {
      CHECK(after.average[id].shape == before.average[id].shape);
      CHECK(after.average[id].values == before.average[id].values);
    }
    CHECK(plateau_monitor_to_json(after.plateau) == plateau_monitor_to_json(before.plateau));
    CHECK(after.rate_factor == 0.125);
    CHECK(after.skipped == 5);
    CHECK(after.skipped_in_a_row == 3);
    CHECK(after.optimizer_start == 99);
    CHECK(after.model.notes().at("author") == "a \"name\"\n");
    CHECK(after.model.to_bytes() == before.model.to_bytes());
    CHECK(train_options_to_json(after.options) == train_options_to_json(before.options));
  }
}

TEST_CASE("without_moments: weights, average and step stay, in less than two thirds of the bytes") {
  const Checkpoint whole = sample();
  const std::string bytes = checkpoint_to_bytes(without_moments(whole));
  CHECK(bytes.size() < checkpoint_to_bytes(whole).size());
  const Checkpoint light = checkpoint_from_bytes(bytes, "light");
  CHECK(light.moments.empty());
  CHECK(light.optimizer_start == light.step - light.skipped);
  CHECK(light.step == whole.step);
  CHECK(light.average[0].values == whole.average[0].values);
  CHECK(light.model.parameters()[0].values == whole.model.parameters()[0].values);
  CHECK(checkpoint_to_bytes(light) == bytes);
}

TEST_CASE("checkpoint: one written before sums of the epoch were kept loads with zeros") {
  const Checkpoint old = checkpoint_from_bytes(
      altered([](TensorFile& file, Json& state) {
        state.erase("epoch_losses");
        state.erase("epoch_steps");
        state.erase("people");
        for (const char* later : {"watch", "rate_factor", "skipped", "skipped_in_a_row"}) state.erase(later);
        std::erase_if(file.tensors, [](const NamedTensor& each) { return each.name.starts_with("average/"); });
      }),
      "old");
  CHECK(old.average.empty());
  CHECK(old.plateau.judged_epoch == 0);
  CHECK(old.rate_factor == 1);
  CHECK(old.skipped == 0);
  CHECK(old.epoch_losses == std::vector<double>{0, 0});
  CHECK(old.epoch_steps == 0);
  CHECK(old.people.empty());
}

TEST_CASE("checkpoint: cut off anywhere it is refused") {
  const std::string bytes = checkpoint_to_bytes(sample());
  for (std::size_t size = 0; size < bytes.size(); size += size < 64 ? 1 : 997) {
    INFO(size);
    CHECK_THROWS_AS(checkpoint_from_bytes(bytes.substr(0, size), "cut"), ModelError);
  }
  check_refused(bytes.substr(0, bytes.size() - 1), "last.safetensors");
}

TEST_CASE("checkpoint: a model alone, another network's moments and broken state are refused in words") {
  check_refused(small_run::tiny_model().to_bytes(),
                "expected a checkpoint of a training run, got a model without training state");
  const auto last_of = [](TensorFile& file, const std::string& prefix) -> NamedTensor& {
    return *std::find_if(file.tensors.rbegin(), file.tensors.rend(),
                         [&](const NamedTensor& each) { return each.name.starts_with(prefix); });
  };
  for (const std::string prefix : {"optimizer.second/", "average/"}) {
    check_refused(altered([&](TensorFile& file, Json&) { last_of(file, prefix).tensor = Tensor({3}); }), prefix);
    check_refused(altered([&](TensorFile& file, Json&) { last_of(file, prefix).name = prefix + "Nobody.bias"; }),
                  prefix == "average/" ? "an average of every tensor, or of none" : prefix + "Nobody.bias");
  }
  check_refused(altered([](TensorFile& file, Json&) { file.tensors.erase(file.tensors.begin()); }),
                "none of that name");
  check_refused(altered([](TensorFile&, Json& state) { state.erase("step"); }), "posemachine.training.step");
  check_refused(altered([](TensorFile&, Json& state) { state["step"] = -1; }), "posemachine.training.step");
  check_refused(altered([](TensorFile&, Json& state) { state["stepp"] = 1; }), "did you mean \"step\"?");
  check_refused(altered([](TensorFile&, Json& state) { state["best_score"] = "good"; }), "best_score");
  check_refused(altered([](TensorFile&, Json& state) { state["options"]["epochs"] = 0; }), "options.epochs");
  check_refused(altered([](TensorFile&, Json& state) { state["epoch_losses"] = {1}; }), "expected 2 numbers");
  check_refused(altered([](TensorFile&, Json& state) { state.erase("epoch_steps"); }), "epoch_steps");
  check_refused(altered([](TensorFile&, Json& state) { state["watch"] = 3; }), "watch: expected an object");
  check_refused(altered([](TensorFile&, Json& state) { state["watch"]["best"] = "high"; }), "watch.best");
  check_refused(altered([](TensorFile&, Json& state) { state["rate_factor"] = 2; }), "rate_factor");
  check_refused(altered([](TensorFile&, Json& state) { state["skipped"] = -1; }), "skipped");
  check_refused(altered([](TensorFile&, Json& state) { state = Json::array(); }), "posemachine.training");
}

TEST_CASE("checkpoint: weights and moments that could not be read again are not written") {
  Checkpoint checkpoint = sample();
  REQUIRE(checkpoint.moments[1].name == "second");
  checkpoint.moments[1].values[0][3] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH_AS(checkpoint_to_bytes(checkpoint), doctest::Contains("optimizer.second/"), RuntimeFailure);
  checkpoint = sample();
  std::vector<Tensor> parameters = checkpoint.model.parameters();
  parameters[2].values[0] = std::numeric_limits<float>::quiet_NaN();
  checkpoint.model = checkpoint.model.with_parameters(parameters);
  CHECK_THROWS_AS(checkpoint_to_bytes(checkpoint), RuntimeFailure);
}

TEST_CASE("checkpoint: more names of moments than any optimiser has are refused before memory is taken, both ways") {
  check_refused(altered([](TensorFile& file, Json&) {
                  for (int i = 0; i < 20; ++i) {
                    file.tensors.push_back({"optimizer.extra" + std::to_string(i) + "/nobody", Tensor({0})});
                  }
                }),
                "expected at most 16 names of what an optimiser keeps, got another one");
  Checkpoint checkpoint = sample();
  while (checkpoint.moments.size() <= 16) {
    checkpoint.moments.push_back(checkpoint.moments[0]);
    checkpoint.moments.back().name = "more" + std::to_string(checkpoint.moments.size());
  }
  CHECK_THROWS_WITH_AS(checkpoint_to_bytes(checkpoint), doctest::Contains("at most 16 names"), RuntimeFailure);
  checkpoint.moments.pop_back();
  CHECK(checkpoint_from_bytes(checkpoint_to_bytes(checkpoint), "most").moments.size() == 16);
}

TEST_CASE("is_checkpoint: a file with the state of a run, not a model's") {
  CHECK(is_checkpoint(parse_safetensors(checkpoint_to_bytes(sample()), "last")));
  CHECK_FALSE(is_checkpoint(parse_safetensors(small_run::tiny_model().to_bytes(), "model")));
}

TEST_CASE("save_checkpoint: whichever system call fails, the old or the new checkpoint is there, whole") {
  const small_run::Folder folder;
  const std::filesystem::path path = folder / "last.safetensors";
  Checkpoint next = sample();
  next.step = 7;
  next.epoch_steps = 1;
  const std::string old_bytes = checkpoint_to_bytes(sample());
  const std::string new_bytes = checkpoint_to_bytes(next);
  for (const int error : {ENOSPC, EIO}) {
    failure = error;
    save_checkpoint(sample(), path);
    bool done = false;
    int n = 1;
    for (; !done && n < 1000; ++n) {
      call_count = 0;
      fail_at = n;
      bool refused = false;
      try {
        save_checkpoint(next, path, failing_calls());
      } catch (const RuntimeFailure& failed) {
        refused = true;
        CHECK(std::string(failed.what()).find(folder.path().string()) != std::string::npos);
      }
      const std::string bytes = small_run::contents(path);
      CHECK((bytes == old_bytes || bytes == new_bytes));
      if (!refused) CHECK(bytes == new_bytes);  // never a success that is none
      done = call_count < n;                    // no call was left to fail
      int files = 0;
      for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
      CHECK(files == 1);  // nothing lies about
      if (!done) save_checkpoint(sample(), path);
    }
    CHECK(done);
    CHECK(n > 10);
  }
}

}  // namespace checkpoint_test
