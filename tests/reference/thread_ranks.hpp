// Ranks that are threads of one process: what a job of several processes computes, seen by one test.
#pragma once

#include <posemachine/core/error.hpp>
#include <posemachine/engine/communicator.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace posemachine::reference {

/// Where the ranks of a job meet. A message waits until its receiver has taken it: what could block between processes
/// blocks here.
class ThreadJob {
 public:
  explicit ThreadJob(int count) : count_(count) {}
  int count() const { return count_; }

  void send(int from, int to, std::span<const std::byte> bytes) {
    std::unique_lock lock(mutex_);
    const std::pair<int, int> key(from, to);
    wait(lock, [&] { return !messages_.contains(key); });
    messages_[key] = bytes;
    changed_.notify_all();
    wait(lock, [&] { return !messages_.contains(key); });
  }

  void receive(int from, int to, std::span<std::byte> bytes) {
    std::unique_lock lock(mutex_);
    const std::pair<int, int> key(from, to);
    wait(lock, [&] { return messages_.contains(key); });
    const std::span<const std::byte> sent = messages_.at(key);
    if (sent.size() != bytes.size()) {
      fail<RuntimeFailure>({.where = "message from " + std::to_string(from) + " to " + std::to_string(to),
                            .expected = std::to_string(bytes.size()) + " bytes",
                            .got = std::to_string(sent.size())});
    }
    std::copy(sent.begin(), sent.end(), bytes.begin());
    messages_.erase(key);
    changed_.notify_all();
  }

  /// Every rank that waits, now or later, throws.
  void end() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

 private:
  template <class Condition>
  void wait(std::unique_lock<std::mutex>& lock, const Condition& condition) {
    changed_.wait(lock, [&] { return ended_ || condition(); });
    if (ended_) throw RuntimeFailure("the job has ended");
  }

  int count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<int, int>, std::span<const std::byte>> messages_;
  bool ended_ = false;
};

class ThreadCommunicator : public engine::Communicator {
 public:
  ThreadCommunicator(ThreadJob& job, int rank) : job_(job), rank_(rank) {}

  int rank() const override { return rank_; }
  int count() const override { return job_.count(); }
  void send(int to, std::span<const std::byte> bytes) override { job_.send(rank_, to, bytes); }
  void receive(int from, std::span<std::byte> bytes) override { job_.receive(from, rank_, bytes); }
  void broadcast(int root, std::span<std::byte> bytes) override {
    if (rank_ != root) return receive(root, bytes);
    for (int to = 0; to < count(); ++to) {
      if (to != root) send(to, bytes);
    }
  }

 private:
  ThreadJob& job_;
  int rank_;
};

/// Runs body on `count` ranks side by side. What the first of them to fail throws ends all, and comes out.
inline void on_ranks(int count, const std::function<void(std::shared_ptr<engine::Communicator>)>& body) {
  ThreadJob job(count);
  std::mutex mutex;
  std::exception_ptr error;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        body(std::make_shared<ThreadCommunicator>(job, rank));
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!error) error = std::current_exception();
        job.end();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace posemachine::reference
