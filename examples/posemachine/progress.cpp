// Progress on stderr, and signals as a stop request.
#include "tool.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

namespace tool {

Progress::Progress(const Context& context, std::string what)
    : shown_(!context.quiet),
      terminal_(::isatty(STDERR_FILENO) != 0),
      what_(std::move(what)),
      start_s_(now_s()),
      last_s_(start_s_) {}

Progress::~Progress() {
  if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::update(long long done_count, long long count) {
  const double now = now_s();
  if (!shown_ || now - last_s_ < (terminal_ ? 0.1 : 5.0)) return;  // seconds between lines
  last_s_ = now;
  const double rate = static_cast<double>(done_count) / (now - start_s_);
  const std::string line = format("%s: %lld of %lld, %.1f/s", what_.c_str(), done_count, count, rate);
  std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
  std::fflush(stderr);
}

SignalWatcher::SignalWatcher() {
  sigemptyset(&watched_);
  sigaddset(&watched_, SIGINT);
  sigaddset(&watched_, SIGTERM);
  sigaddset(&watched_, SIGUSR1);  // mpirun keeps the other two for itself and passes this one on
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  thread_ = std::jthread([this](const std::stop_token& ending) { watch(ending); });
}

SignalWatcher::~SignalWatcher() {
  thread_.request_stop();
  pthread_kill(thread_.native_handle(), SIGTERM);  // wakes sigwait
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalWatcher::watch(const std::stop_token& ending) {
  for (;;) {
    int number = 0;
    if (sigwait(&watched_, &number) != 0) continue;
    if (ending.stop_requested()) return;
    if (signal_ != 0) ::_exit(128 + number);  // asked twice: at once, without saving
    signal_ = number;
    source_.request_stop();
  }
}

}  // namespace tool
