// The definitions of inference/estimator_pool.hpp.
#pragma once

#include <posemachine/inference/estimator_pool.hpp>

#include <algorithm>
#include <system_error>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE EstimatorPool::EstimatorPool(const Model& model, const EstimatorPoolOptions& options)
    : options_(options), model_input_{model.spec().input_height, model.spec().input_width} {
  if (options.threads < 1) {
    fail<UsageError>({.where = "threads", .expected = "at least 1", .got = std::to_string(options.threads)});
  }
  if (options.queue == 0) fail<UsageError>({.where = "queue", .expected = "at least 1", .got = "0"});
  if (options.estimator.threads != 1) {
    fail<UsageError>({.where = "estimator.threads",
                      .expected = "1: each request has one thread",
                      .got = std::to_string(options.estimator.threads)});
  }
  const Estimator first(model, options.estimator);
  try {
    for (int i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this, estimator = std::make_unique<Estimator>(first)] { work(*estimator); });
    }
  } catch (const std::system_error& error) {
    cancel();
    fail<RuntimeFailure>({.where = std::string("threads: ") + error.what(), .remedy = "ask for fewer"});
  } catch (...) {
    cancel();
    throw;
  }
}

POSEMACHINE_INLINE std::future<Pose> EstimatorPool::submit(AnyImage image, const RequestOptions& request) {
  return run([image = std::move(image),
              input = request.input](Estimator& estimator) { return estimator.estimate_stages(image, {}, input).pose; },
             request);
}

POSEMACHINE_INLINE std::future<std::vector<Pose>> EstimatorPool::submit(AnyImage image, std::vector<Box> boxes,
                                                                        const RequestOptions& request) {
  return run(
      [image = std::move(image), boxes = std::move(boxes), input = request.input](Estimator& estimator) {
        std::vector<Pose> poses;
        for (const Box& box : boxes) poses.push_back(estimator.estimate_stages(image, box, input).pose);
        return poses;
      },
      request);
}

POSEMACHINE_INLINE std::future<Pose> EstimatorPool::submit(std::vector<AnyImage> frames,
                                                           const RequestOptions& request) {
  return run(
      [frames = std::move(frames), input = request.input](Estimator& estimator) {
        const std::vector<ImageView> views(frames.begin(), frames.end());
        return estimator.estimate_stages(views, {}, input).pose;
      },
      request);
}

POSEMACHINE_INLINE std::future<std::vector<Pose>> EstimatorPool::submit(std::vector<AnyImage> frames,
                                                                        std::vector<Box> boxes,
                                                                        const RequestOptions& request) {
  return run(
      [frames = std::move(frames), boxes = std::move(boxes), input = request.input](Estimator& estimator) {
        const std::vector<ImageView> views(frames.begin(), frames.end());
        std::vector<Pose> poses;
        for (const Box& box : boxes) poses.push_back(estimator.estimate_stages(views, box, input).pose);
        return poses;
      },
      request);
}

POSEMACHINE_INLINE std::size_t EstimatorPool::waiting() const {
  const std::scoped_lock lock(mutex_);
  return queue_.size();
}

POSEMACHINE_INLINE void EstimatorPool::push(std::unique_ptr<Request> request) {
  Queue late;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) throw Rejected(Refusal::closed, "EstimatorPool: it takes no more requests");
    if (queue_.size() >= options_.queue) late = take_late();
    if (queue_.size() < options_.queue) {
      queue_.push_back(std::move(request));
    }
  }
  refuse_late(late);
  if (request != nullptr) {
    throw Rejected(Refusal::full, "EstimatorPool: expected at most " + std::to_string(options_.queue) +
                                      " requests that wait, got one more; try again later or allow more");
  }
  arrived_.notify_one();
}

POSEMACHINE_INLINE EstimatorPool::Queue EstimatorPool::take_late() {
  const Clock::time_point now = Clock::now();
  Queue late;
  for (auto each = queue_.begin(); each != queue_.end();) {
    const auto which = each++;
    if (now > (*which)->deadline) late.splice(late.end(), queue_, which);
  }
  return late;
}

POSEMACHINE_INLINE void EstimatorPool::refuse_late(const Queue& late) const {
  for (const std::unique_ptr<Request>& request : late) request->refuse(late_);
}

POSEMACHINE_INLINE std::unique_ptr<EstimatorPool::Request> EstimatorPool::take(const Estimator& estimator) {
  auto which = queue_.begin();
  const Clock::time_point now = Clock::now();
  if (now - (*which)->passed_over.value_or(now) < options_.delay) {
    const auto ready = std::find_if(queue_.begin(), queue_.end(), [&](const std::unique_ptr<Request>& request) {
      return estimator.is_ready_for(request->input);
    });
    if (ready != queue_.end() && ready != which) {
      if (!(*which)->passed_over) (*which)->passed_over = now;
      which = ready;
    }
  }
  std::unique_ptr<Request> request = std::move(*which);
  queue_.erase(which);
  return request;
}

POSEMACHINE_INLINE void EstimatorPool::work(Estimator& estimator) {
  inside_ = this;
  for (;;) {
    Queue late;
    std::unique_ptr<Request> request;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] { return closed_ || !queue_.empty(); });
      late = take_late();
      if (!queue_.empty()) request = take(estimator);
      if (request == nullptr && late.empty()) return;  // closed, and nothing waits
    }
    refuse_late(late);
    if (request != nullptr) request->run(estimator);
  }
}

POSEMACHINE_INLINE void EstimatorPool::close(bool keep_waiting) {
  if (inside_ == this) {
    fail<UsageError>({.where = "EstimatorPool",
                      .expected = "finish() and cancel() from outside",
                      .got = "a call from one of its requests"});
  }
  Queue refused;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    if (!keep_waiting) refused.swap(queue_);
  }
  arrived_.notify_all();
  for (const std::unique_ptr<Request>& request : refused) {
    request->refuse(cancelled_);
  }
  const std::scoped_lock lock(joining_);  // the second of two callers waits for the first
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
