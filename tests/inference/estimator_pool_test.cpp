// EstimatorPool: who is served, in which order, and what becomes of those who are not.
#include "noise.hpp"
#include "reference/random_model.hpp"

#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/inference/estimator_pool.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/networks/registry.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <iterator>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace estimator_pool_test {

using namespace posemachine;
using test_environment::noise;

namespace {

const Model& small_model() {
  static const Model model = [] {
    ModelSpec spec;
    spec.input_height = spec.input_width = 32;
    return reference::random_model("scaling-dilation-small", graph_of<ScalingDilationSmall>(), 5, spec);
  }();
  return model;
}

void check_same(const Pose& got, const Pose& expected) {
  REQUIRE(got.keypoints.size() == expected.keypoints.size());
  bool same = got.box == expected.box;
  for (std::size_t j = 0; j < got.keypoints.size(); ++j) {
    same = same && got.keypoints[j].position == expected.keypoints[j].position &&
           got.keypoints[j].score == expected.keypoints[j].score;
  }
  CHECK(same);
}

// A pool's only thread, busy until it is let go.
class Busy {
 public:
  explicit Busy(EstimatorPool& pool)
      : done_(pool.run([this](Estimator&) {
          begun_.count_down();
          free_.wait();
        })) {
    begun_.wait();
  }
  ~Busy() { let_go(); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

  void let_go() {
    if (std::exchange(held_, false)) free_.count_down();
    if (done_.valid()) done_.get();
  }

 private:
  std::latch begun_{1};
  std::latch free_{1};
  bool held_ = true;
  std::future<void> done_;
};

template <class Result>
Refusal refusal_of(std::future<Result> future) {
  try {
    future.get();
  } catch (const Rejected& error) {
    return error.reason();
  }
  throw std::logic_error("the request was run");
}

template <class Call>
std::optional<Refusal> refused(const Call& call) {
  try {
    call();
  } catch (const Rejected& error) {
    return error.reason();
  }
  return {};
}

std::ptrdiff_t thread_count() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

// A thread that was joined stands in /proc for a moment longer.
bool settles_at(std::ptrdiff_t expected) {
  for (int i = 0; i < 400 && thread_count() != expected; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return thread_count() == expected;
}

}  // namespace

TEST_CASE("EstimatorPool: 4 threads that share a model give the bytes of one, whoever asks") {
  const int count = 24;
  std::vector<Image> images;
  for (int i = 0; i < count; ++i) images.push_back(noise(40 + i, 60 - i, static_cast<std::uint64_t>(i)));
  const std::vector<Box> boxes{{0, 0, 20, 30}, {5, 4, 30, 25}};
  std::vector<std::future<Pose>> poses(static_cast<std::size_t>(count));
  std::vector<std::future<std::vector<Pose>>> people(static_cast<std::size_t>(count));
  EstimatorPool pool(small_model(), {.threads = 4});
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < 3; ++client) {
      clients.emplace_back([&, client] {
        for (auto i = static_cast<std::size_t>(client); i < images.size(); i += 3) {
          poses[i] = pool.submit(images[i], {.input = i % 2 == 0 ? Size{} : Size{64, 32}});
          people[i] = pool.submit(images[i], boxes);
        }
      });
    }
  }
  Estimator one(small_model());
  for (std::size_t i = 0; i < images.size(); ++i) {
    check_same(poses[i].get(), one.estimate_stages(images[i], {}, i % 2 == 0 ? Size{} : Size{64, 32}).pose);
    const std::vector<Pose> expected = one(images[i], boxes);
    const std::vector<Pose> got = people[i].get();
    REQUIRE(got.size() == 2);
    for (std::size_t k = 0; k < 2; ++k) check_same(got[k], expected[k]);
  }
}

TEST_CASE("EstimatorPool: what goes wrong comes through the future of the request that went wrong") {
  EstimatorPool pool(small_model(), {.threads = 2});
  std::future<Pose> empty = pool.submit(Image{});
  std::future<std::vector<Pose>> outside = pool.submit(noise(20, 20, 1), {{100, 100, 5, 5}});
  std::future<int> own = pool.run([](Estimator&) -> int { throw std::logic_error("mine"); });
  std::future<Pose> size = pool.submit(noise(20, 20, 1), {.input = {33, 32}});
  std::future<Pose> right = pool.submit(noise(20, 20, 1));
  CHECK_THROWS_AS(empty.get(), DataError);
  CHECK_THROWS_AS(outside.get(), UsageError);
  CHECK_THROWS_WITH_AS(own.get(), "mine", std::logic_error);
  CHECK_THROWS_AS(size.get(), ModelError);
  CHECK(right.get().keypoints.size() == 14);
}

TEST_CASE("EstimatorPool: a full queue refuses at once, and takes requests again when there is room") {
  EstimatorPool pool(small_model(), {.queue = 2});
  Busy busy(pool);
  std::future<Pose> first = pool.submit(noise(20, 20, 1));
  std::future<Pose> second = pool.submit(noise(20, 20, 2));
  CHECK(pool.waiting() == 2);
  CHECK(refused([&] { pool.submit(noise(20, 20, 3)); }) == Refusal::full);
  CHECK_THROWS_WITH_AS(pool.submit(noise(20, 20, 3)), doctest::Contains("at most 2 requests"), RuntimeFailure);
  busy.let_go();
  CHECK(first.get().keypoints.size() == 14);
  CHECK(second.get().keypoints.size() == 14);
  CHECK(pool.submit(noise(20, 20, 3)).get().keypoints.size() == 14);
}

TEST_CASE("EstimatorPool: a request whose deadline has passed is not run, and makes room for others") {
  const auto past = RequestOptions::Clock::now() - std::chrono::seconds(1);
  const auto future = RequestOptions::Clock::now() + std::chrono::hours(1);
  EstimatorPool pool(small_model(), {.queue = 2});
  Busy busy(pool);
  bool ran = false;
  std::future<void> late = pool.run([&](Estimator&) { ran = true; }, {.deadline = past});
  std::future<Pose> early = pool.submit(noise(20, 20, 1), {.deadline = future});
  std::future<Pose> instead = pool.submit(noise(20, 20, 2));  // the queue had been full
  CHECK(refusal_of(std::move(late)) == Refusal::deadline);    // while the thread is busy still
  std::future<void> again;
  CHECK(refused([&] { again = pool.run([](Estimator&) {}, {.deadline = past}); }) == Refusal::full);
  busy.let_go();
  CHECK(early.get().keypoints.size() == 14);
  CHECK(instead.get().keypoints.size() == 14);
  CHECK_FALSE(ran);
  CHECK(refusal_of(pool.submit(noise(20, 20, 1), {.deadline = past})) == Refusal::deadline);
}

TEST_CASE("EstimatorPool: finish runs what waits, cancel refuses it, and neither takes more") {
  for (const bool finishes : {true, false}) {
    EstimatorPool pool(small_model());
    std::vector<std::future<Pose>> waiting;
    std::jthread closing;
    {
      Busy busy(pool);
      for (std::uint64_t i = 0; i < 3; ++i) waiting.push_back(pool.submit(noise(20, 20, i)));
      closing = std::jthread([&] { finishes ? pool.finish() : pool.cancel(); });
      while (refused([&] { pool.run([](Estimator&) {}, {.deadline = {}}); }) != Refusal::closed) {
        std::this_thread::yield();
      }
    }
    closing.join();
    for (std::future<Pose>& future : waiting) {
      if (finishes) {
        CHECK(future.get().keypoints.size() == 14);
      } else {
        CHECK(refusal_of(std::move(future)) == Refusal::cancelled);
      }
    }
    CHECK(pool.waiting() == 0);
    CHECK(refused([&] { pool.submit(noise(20, 20, 1)); }) == Refusal::closed);
    pool.cancel();  // once more is nothing
  }
}

TEST_CASE("EstimatorPool: requests under way when it is destroyed end, those that wait are refused") {
  std::future<int> under_way;
  std::future<Pose> waiting;
  std::latch begun(1);
  {
    EstimatorPool pool(small_model());
    under_way = pool.run([&](Estimator&) {
      begun.count_down();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return 7;
    });
    begun.wait();
    waiting = pool.submit(noise(20, 20, 1));
  }
  CHECK(under_way.get() == 7);
  CHECK(refusal_of(std::move(waiting)) == Refusal::cancelled);
}

TEST_CASE("EstimatorPool: a thread prefers sizes it has an execution for, as long as nobody waits too long") {
  for (const bool patient : {true, false}) {  // patience begins when a request is passed over, not when it comes
    EstimatorPool pool(small_model(), {.delay = patient ? std::chrono::hours(1) : std::chrono::hours(0),
                                       .estimator = {.cached_sizes = 1}});
    pool.submit(noise(20, 20, 1), {.input = {32, 64}}).get();
    std::vector<int> order;
    std::vector<std::future<void>> done;
    {
      Busy busy(pool);
      const std::vector<Size> sizes{{64, 32}, {32, 64}, {64, 32}, {32, 64}};
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        done.push_back(pool.run(
            [&order, i, size = sizes[i]](Estimator& estimator) {
              estimator.estimate_stages(noise(20, 20, 1), {}, size);
              order.push_back(static_cast<int>(i));
            },
            {.input = sizes[i]}));
      }
    }
    for (std::future<void>& each : done) each.get();
    CHECK(order == (patient ? std::vector{1, 3, 0, 2} : std::vector{0, 1, 2, 3}));
  }
}

TEST_CASE("EstimatorPool: it has as many threads as it was told, and oneDNN none") {
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // those of other tests are gone
  const std::ptrdiff_t before = thread_count();
  {
    EstimatorPool pool(small_model(), {.threads = 3});
    std::vector<std::future<Pose>> poses;
    for (std::uint64_t i = 0; i < 12; ++i) poses.push_back(pool.submit(noise(30, 30, i)));
    for (std::future<Pose>& pose : poses) pose.get();
    CHECK(settles_at(before + 3));
  }
  CHECK(settles_at(before));
}

TEST_CASE("EstimatorPool: no threads, no queue and stages that are not there are refused") {
  CHECK_THROWS_WITH_AS(EstimatorPool(small_model(), {.threads = 0}), doctest::Contains("threads"), UsageError);
  CHECK_THROWS_WITH_AS(EstimatorPool(small_model(), {.queue = 0}), doctest::Contains("queue"), UsageError);
  CHECK_THROWS_AS(EstimatorPool(small_model(), {.estimator = {.stages = 9}}), UsageError);
  CHECK_THROWS_WITH_AS(EstimatorPool(small_model(), {.estimator = {.threads = 2}}),
                       "estimator.threads: expected 1: each request has one thread, got 2", UsageError);
}

TEST_CASE("EstimatorPool: a request that ends the pool is told so, and the pool goes on") {
  EstimatorPool pool(small_model());
  std::future<void> finishing = pool.run([&](Estimator&) { pool.finish(); });
  std::future<void> cancelling = pool.run([&](Estimator&) { pool.cancel(); });
  CHECK_THROWS_WITH_AS(finishing.get(), doctest::Contains("from outside"), UsageError);
  CHECK_THROWS_AS(cancelling.get(), UsageError);
  CHECK(pool.submit(noise(20, 20, 1)).get().keypoints.size() == 14);
}

TEST_CASE("EstimatorPool: what a request holds is gone when its result is there") {
  EstimatorPool pool(small_model());
  for (int i = 0; i < 200; ++i) {
    const auto held = std::make_shared<int>(i);
    CHECK(pool.run([held](Estimator&) { return *held; }).get() == i);
    CHECK(held.use_count() == 1);
  }
}

}  // namespace estimator_pool_test
