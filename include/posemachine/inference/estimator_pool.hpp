// EstimatorPool: many requests, few threads; for servers.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/inference/estimate.hpp>
#include <posemachine/inference/estimator.hpp>
#include <posemachine/model/model.hpp>
#include <posemachine/pose/model_spec.hpp>
#include <posemachine/pose/pose.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Why a request was not run.
enum class Refusal {
  full,       // as many requests as may wait were waiting
  deadline,   // its time was over before its turn came
  cancelled,  // the pool was cancelled while it waited
  closed,     // the pool takes no more requests
};

/// Thrown by EstimatorPool's functions, or by the future of a request.
class Rejected : public RuntimeFailure {
 public:
  Rejected(Refusal reason, const std::string& text) : RuntimeFailure(text), reason_(reason) {}

  Refusal reason() const { return reason_; }

 private:
  Refusal reason_;
};

struct EstimatorPoolOptions {
  int threads = 1;                      // requests under way at a time, a thread each; none of oneDNN's besides
  std::size_t queue = 64;               // requests that may wait; one more is refused
  std::chrono::milliseconds delay{20};  // how long those whose size a thread has ready may be taken before an older one
  EstimatorOptions estimator{};         // of each thread's estimator; its `threads` must be 1
};

struct RequestOptions {
  using Clock = std::chrono::steady_clock;

  Clock::time_point deadline = Clock::time_point::max();  // not begun later than this
  Size input{};                                           // what the network is fed; {}: the model's
};

/// Runs requests side by side, each on one thread: on as many cores that answers more of them than threads that share
/// each request. Estimators share the model, its programs and its weights; each keeps executions of its own, and a
/// thread prefers requests whose size it has one for (compiling a size that no thread has takes as long as several
/// images). A request's result does not depend on the others. All functions may be called from several threads, but the
/// destructor; finish() and cancel() not by a request.
class EstimatorPool {
 public:
  /// Errors: UsageError for fewer than 1 thread or room for no request, and as Estimator;
  /// RuntimeFailure where the system gives no more threads.
  explicit EstimatorPool(const Model& model, const EstimatorPoolOptions& options = {});
  EstimatorPool(const EstimatorPool&) = delete;
  EstimatorPool& operator=(const EstimatorPool&) = delete;
  /// As cancel().
  ~EstimatorPool() { cancel(); }

  /// The pose of the one person of an image of any kind. The future throws what Estimator throws, or Rejected.
  /// Errors: Rejected where the queue is full or the pool closed: nothing is kept of the request then.
  std::future<Pose> submit(AnyImage image, const RequestOptions& request = {});

  /// The poses of the people in the boxes, in their order. Futures and errors as above.
  std::future<std::vector<Pose>> submit(AnyImage image, std::vector<Box> boxes, const RequestOptions& request = {});

  /// The same of a model of several frames, see Estimator: a picture for each of them, in their order.
  std::future<Pose> submit(std::vector<AnyImage> frames, const RequestOptions& request = {});
  std::future<std::vector<Pose>> submit(std::vector<AnyImage> frames, std::vector<Box> boxes,
                                        const RequestOptions& request = {});

  /// Anything else that takes an Estimator: work(estimator) runs on one of the pool's threads, and what it returns or
  /// throws comes through the future. Errors: as submit.
  template <class Work>
  std::future<std::invoke_result_t<Work&, Estimator&>> run(Work work, const RequestOptions& request = {}) {
    auto entry = std::make_unique<RequestOf<Work>>(std::move(work));
    auto result = entry->promise.get_future();
    entry->deadline = request.deadline;
    entry->input = request.input == Size{} ? model_input_ : request.input;
    push(std::move(entry));
    return result;
  }

  /// Requests that wait for a thread.
  std::size_t waiting() const;

  /// Takes no more requests, runs those that wait, and returns when the last one has ended. Errors: UsageError when a
  /// request calls it, which would wait for itself.
  void finish() { close(/*keep_waiting=*/true); }

  /// Takes no more requests and refuses those that wait; returns when those under way have ended. Errors: as finish.
  void cancel() { close(/*keep_waiting=*/false); }

 private:
  using Clock = RequestOptions::Clock;

  struct Request {
    Request() = default;
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    virtual ~Request() = default;
    virtual void run(Estimator& estimator) = 0;
    virtual void refuse(const Rejected& why) = 0;

    std::optional<Clock::time_point> passed_over;  // for the first time
    Clock::time_point deadline;
    Size input;
  };

  using Queue = std::list<std::unique_ptr<Request>>;

  template <class Work>
  struct RequestOf : Request {
    using Result = std::invoke_result_t<Work&, Estimator&>;

    explicit RequestOf(Work what) : work(std::move(what)) {}

    void run(Estimator& estimator) override {
      try {
        if constexpr (std::is_void_v<Result>) {
          run_once(estimator);
          promise.set_value();
        } else {
          promise.set_value(run_once(estimator));
        }
      } catch (...) {
        promise.set_exception(std::current_exception());
      }
    }
    void refuse(const Rejected& why) override { promise.set_exception(std::make_exception_ptr(why)); }

    // What the work holds is gone before its result is there: who has the result may end.
    Result run_once(Estimator& estimator) {
      Work once(std::move(*work));
      work.reset();
      return once(estimator);
    }

    std::optional<Work> work;
    std::promise<Result> promise;
  };

  void push(std::unique_ptr<Request> request);

  // Those whose time is over leave the queue. With the mutex held.
  Queue take_late();
  void refuse_late(const Queue& late) const;

  // The oldest request whose size the thread has ready, or the oldest of all where there is none, or where it has been
  // passed over for long enough. With the mutex held.
  std::unique_ptr<Request> take(const Estimator& estimator);

  void work(Estimator& estimator);

  void close(bool keep_waiting);

  EstimatorPoolOptions options_;
  Size model_input_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  Queue queue_;  // the oldest first
  bool closed_ = false;
  std::mutex joining_;
  // Made beforehand: the threads have nobody to tell that there is no memory for a message.
  const Rejected late_{Refusal::deadline, "EstimatorPool: the request's deadline passed before its turn came"};
  const Rejected cancelled_{Refusal::cancelled, "EstimatorPool: it was cancelled before the request's turn came"};
  static inline thread_local const EstimatorPool* inside_ = nullptr;  // the pool whose thread this is
  std::vector<std::thread> threads_;
};

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/inference/estimator_pool.ipp>
#endif
