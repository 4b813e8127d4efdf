// Trainer over ranks: the bytes of one process, stops agreed on by all, and failures that end all.
#include "reference/thread_ranks.hpp"
#include "small_run.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/data/loader.hpp>
#include <posemachine/data/person.hpp>
#include <posemachine/engine/communicator.hpp>
#include <posemachine/training/checkpoint.hpp>
#include <posemachine/training/trainer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace communicator_test {

using namespace posemachine;
using namespace posemachine::engine;
using reference::on_ranks;
using small_run::set;
using Kind = TrainEvent::Kind;

namespace {

// 14 people are 2 steps of 6 an epoch, with two left over; 3 epochs are 6 steps.
TrainOptions options_of(int slice, int workers) {
  TrainOptions options = small_run::tiny_options();
  options.batch = 6;
  options.slice = slice;
  options.workers = workers;
  options.schedule = "plateau";  // which validation decides on, on rank 0
  options.plateau_epochs = 1;
  options.clip_norm = 0.05;
  options.average_decay = 0.8;
  return options;
}

// What a rank comes to: its state, and what it says.
struct Outcome {
  std::string state;
  std::vector<std::vector<double>> losses;
  std::vector<double> scores;
};

Outcome train(const Checkpoint& start, const std::shared_ptr<Communicator>& ranks, std::int64_t stop_at = -1,
              int stop_rank = 0) {
  Trainer trainer(start, set().people, set().validation, ranks);
  std::stop_source stop;
  Outcome outcome;
  if (ranks != nullptr && ranks->rank() == stop_rank && stop_at == 0) stop.request_stop();
  trainer.run(stop.get_token(), [&](const TrainEvent& event) {
    if (!event.losses.empty()) outcome.losses.push_back(event.losses);
    if (event.validation != nullptr) outcome.scores.push_back(event.validation->pck().mean);
    if (event.kind == Kind::step && event.step == stop_at) stop.request_stop();
  });
  Checkpoint last = trainer.checkpoint();
  last.options.workers = 1;  // its speed, stored with the options
  outcome.state = checkpoint_to_bytes(last);
  return outcome;
}

std::vector<Outcome> train_on_ranks(int count, const Checkpoint& start, std::int64_t stop_at = -1, int stop_rank = 0) {
  std::vector<Outcome> outcomes(static_cast<std::size_t>(count));
  on_ranks(count, [&](const std::shared_ptr<Communicator>& ranks) {
    outcomes[static_cast<std::size_t>(ranks->rank())] = train(start, ranks, stop_at, stop_rank);
  });
  return outcomes;
}

}  // namespace

TEST_CASE("Trainer: any number of ranks and workers gives the state, losses and scores of one process, on every rank") {
  for (const int slice : {1, 2}) {
    const Outcome one = train({small_run::tiny_model(), options_of(slice, 1)}, nullptr);
    REQUIRE(one.scores.size() == 2);
    CHECK(checkpoint_from_bytes(one.state, "one process").rate_factor == 0.1);
    for (int count = 1; count <= 4 && count <= 6 / slice; ++count) {
      for (const int workers : {1, 2}) {
        INFO("slices of " << slice << " on " << count << " ranks of " << workers << " workers");
        const auto outcomes = train_on_ranks(count, {small_run::tiny_model(), options_of(slice, workers)});
        for (const Outcome& outcome : outcomes) CHECK(outcome.state == one.state);
        CHECK(outcomes[0].losses == one.losses);
        CHECK(outcomes[0].scores == one.scores);
        for (std::size_t rank = 1; rank < outcomes.size(); ++rank) CHECK(outcomes[rank].losses.empty());
      }
    }
  }
}

TEST_CASE("Trainer: stopped on some ranks and resumed on others, a run ends with the bytes of an undisturbed one") {
  const Checkpoint start{small_run::tiny_model(), options_of(1, 1)};
  const Outcome whole = train(start, nullptr);
  for (std::int64_t stop_at = 1; stop_at <= 5; ++stop_at) {
    INFO("stopped after step " << stop_at);
    const auto stopped = train_on_ranks(3, start, stop_at);
    const Checkpoint kept = checkpoint_from_bytes(stopped[0].state, "stopped");
    CHECK(kept.step == stop_at);
    for (const Outcome& outcome : stopped) CHECK(outcome.state == stopped[0].state);
    CHECK(train_on_ranks(2, kept)[1].state == whole.state);
    CHECK(train(kept, nullptr).state == whole.state);
  }
}

TEST_CASE("Trainer: a stop that another rank than the first is asked for stops all of them") {
  for (const auto& outcome : train_on_ranks(3, {small_run::tiny_model(), options_of(1, 1)}, 0, 2)) {
    CHECK(checkpoint_from_bytes(outcome.state, "stopped").step == 0);
  }
}

TEST_CASE("Trainer: more ranks than slices are refused") {
  CHECK_THROWS_WITH_AS(train_on_ranks(4, {small_run::tiny_model(), options_of(2, 1)}),
                       doctest::Contains("at most one for each of the 3 slices"), UsageError);
}

TEST_CASE("Trainer: a photograph that one rank cannot read ends the run on all") {
  const small_run::Folder folder;
  const std::vector<Person> people = small_run::noise_people(folder, 6, false, 1);
  const TrainOptions options = options_of(2, 1);
  // The last sample of the first step: the last rank's.
  const int sample = epoch_order(people.size(), options.seed, 0).back();
  const std::filesystem::path& image = people[static_cast<std::size_t>(sample)].image;
  std::filesystem::remove(image);
  std::filesystem::create_symlink(image, image);  // there, but not to be opened
  const auto run = [&](const std::shared_ptr<Communicator>& ranks) {
    Trainer trainer(small_run::tiny_model(), people, {}, options, ranks);
    trainer.run({}, [](const TrainEvent&) {});
  };
  CHECK_THROWS_WITH_AS(on_ranks(3, run), doctest::Contains(image.c_str()), DataError);
}

TEST_CASE("Trainer: a photograph that is absent on one rank is gone round there, and all end with the same bytes") {
  const small_run::Folder folder;
  const std::vector<Person> people = small_run::noise_people(folder, 6, false, 1);
  const TrainOptions options = options_of(2, 1);
  std::filesystem::remove(people[2].image);
  std::mutex mutex;
  std::vector<std::string> states;
  std::size_t noted = 0;
  on_ranks(3, [&](const std::shared_ptr<Communicator>& ranks) {
    Trainer trainer(small_run::tiny_model(), people, {}, options, ranks);
    trainer.run({}, [](const TrainEvent&) {});
    const std::scoped_lock lock(mutex);
    states.push_back(checkpoint_to_bytes(trainer.checkpoint()));
    noted += trainer.damaged().all().size();
  });
  CHECK(noted >= 1);
  CHECK(states.size() == 3);
  for (const std::string& state : states) CHECK(state == states.front());
}

TEST_CASE(
    "Trainer: where no photograph can be trained on, that is said before the first step; constant poses skip some") {
  const small_run::Folder folder;
  const std::vector<Person> people = small_run::noise_people(folder, 6, false, 1);
  Trainer trainer(small_run::tiny_model(), people, people, options_of(2, 1));
  std::filesystem::remove(people[1].image);
  CHECK(trainer.find_damaged_headers() == 6);
  CHECK(trainer.damaged().all().size() == 1);
  std::vector<Person> others = people;
  others.erase(others.begin() + 1);
  const Trainer without(small_run::tiny_model(), others, others, options_of(2, 1));
  CHECK(trainer.constant_pose_score().mean == without.constant_pose_score().mean);
  for (const Person& person : people) std::filesystem::remove(person.image);
  CHECK_THROWS_WITH_AS(
      trainer.find_damaged_headers(),
      doctest::Contains("training set: expected photographs that can be used, got none among those of 6"), DataError);
}

}  // namespace communicator_test
