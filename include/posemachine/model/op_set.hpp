// OpSet: the operations a model file may name, the library's and a user's.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posemachine::inline POSEMACHINE_BUILD {

/// Operations by name and version. The default holds those of the library: OpSet{&mish_op} adds one's own.
class OpSet {
 public:
  OpSet() : ops_(forward_ops.begin(), forward_ops.end()) {}

  /// Errors: UsageError for an operation without a forward kernel, with a name that is empty or longer than 64 bytes,
  /// or with the name and version of another.
  OpSet(std::initializer_list<const OpInfo*> own) : OpSet() {
    for (const OpInfo* op : own) {
      const std::string where = "operation " + std::string(op->name) + " version " + std::to_string(op->version);
      if (op->kernels == nullptr || op->kernels->forward == nullptr) {
        fail<UsageError>({.where = where, .expected = "a forward kernel", .got = "none"});
      }
      if (op->name.empty() || op->name.size() > max_op_name_bytes) {
        fail<UsageError>(
            {.where = where, .expected = "a name of 1 to 64 bytes", .got = std::to_string(op->name.size())});
      }
      if (find(op->name, op->version) != nullptr) {
        fail<UsageError>({.where = where, .expected = "a name and version of its own", .got = "those of another"});
      }
      ops_.push_back(op);
    }
  }

  /// The same, taking also operations that nobody knows: their nodes can be looked at, not run.
  OpSet with_unknown() const {
    OpSet all = *this;
    all.takes_unknown_ = true;
    return all;
  }
  bool takes_unknown() const { return takes_unknown_; }

  /// The operation, or null.
  const OpInfo* find(std::string_view name, std::int64_t version) const {
    for (const OpInfo* op : ops_) {
      if (op->name == name && op->version == version) return op;
    }
    return nullptr;
  }

  const std::vector<const OpInfo*>& all() const { return ops_; }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const OpInfo* op : ops_) all.emplace_back(op->name);
    return all;
  }

  static constexpr std::size_t max_op_name_bytes = 64;

 private:
  std::vector<const OpInfo*> ops_;
  bool takes_unknown_ = false;
};

namespace detail {

/// What a file says of the dst of an operation that is not the library's.
struct UnknownOptions {
  std::int32_t channels = 1;
  std::int32_t kernel = 1, stride = 1, dilation = 1, padding = 0, ceil = 0, global = 0, scale = 0, output_padding = 0;
};

constexpr Window unknown_window(const Options& values) {
  const auto o = unpack<UnknownOptions>(values);
  return {.kernel = o.kernel,
          .stride = o.stride,
          .dilation = o.dilation,
          .padding = o.padding,
          .ceil = o.ceil != 0,
          .global = o.global != 0,
          .scale = o.scale,
          .output_padding = o.output_padding};
}

constexpr int infer_unknown(Graph&, const Node& node) { return unpack<UnknownOptions>(node.options).channels; }

}  // namespace detail

/// Whether an operation of a graph is one that nobody knows: it stands in a file read with OpSet::with_unknown().
inline bool is_unknown(const OpInfo& op) { return op.infer == detail::infer_unknown; }

namespace detail {

/// A description that stands for an operation nobody knows: its name and version. Kept for the process's life, because
/// graphs point to it; errors: ModelError after 4096 of them, which no honest files have.
inline const OpInfo* unknown_op(const std::string& name, int version, const std::string& where) {
  struct Entry {
    std::string name;
    OpInfo op;
  };
  static std::mutex mutex;
  static std::deque<Entry> entries;
  static std::map<std::pair<std::string, int>, const OpInfo*> known;
  const std::scoped_lock lock(mutex);
  if (const auto found = known.find({name, version}); found != known.end()) return found->second;
  if (entries.size() >= 4096) {
    fail<ModelError>({.where = where, .expected = "fewer operations that nobody knows", .got = "more than 4096"});
  }
  Entry& entry = entries.emplace_back(Entry{name, {}});
  entry.op = {.name = entry.name,
              .version = version,
              .min_inputs = 0,
              .max_inputs = -1,
              .window = unknown_window,
              .infer = infer_unknown};
  known.emplace(std::pair{name, version}, &entry.op);
  return &entry.op;
}

}  // namespace detail

}  // namespace posemachine::inline POSEMACHINE_BUILD
