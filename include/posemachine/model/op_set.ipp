// The definitions of model/op_set.hpp.
#pragma once

#include <posemachine/model/op_set.hpp>

#include <posemachine/core/error.hpp>
#include <posemachine/graph/custom_op.hpp>

#include <deque>
#include <map>
#include <mutex>
#include <utility>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

POSEMACHINE_INLINE OpSet::OpSet(std::initializer_list<const OpInfo*> own) : OpSet() {
  for (const OpInfo* op : own) {
    const std::string where = "operation " + std::string(op->name) + " version " + std::to_string(op->version);
    if (op->kernels == nullptr || op->kernels->forward == nullptr) {
      fail<UsageError>({.where = where, .expected = "a forward kernel", .got = "none"});
    }
    if (op->name.empty() || op->name.size() > max_op_name_bytes) {
      fail<UsageError>({.where = where, .expected = "a name of 1 to 64 bytes", .got = std::to_string(op->name.size())});
    }
    if (find(op->name, op->version) != nullptr) {
      fail<UsageError>({.where = where, .expected = "a name and version of its own", .got = "those of another"});
    }
    ops_.push_back(op);
  }
}

POSEMACHINE_INLINE OpSet OpSet::with_unknown() const {
  OpSet all = *this;
  all.takes_unknown_ = true;
  return all;
}

POSEMACHINE_INLINE const OpInfo* OpSet::find(std::string_view name, std::int64_t version) const {
  for (const OpInfo* op : ops_) {
    if (op->name == name && op->version == version) return op;
  }
  return nullptr;
}

POSEMACHINE_INLINE std::vector<std::string> OpSet::names() const {
  std::vector<std::string> all;
  for (const OpInfo* op : ops_) all.emplace_back(op->name);
  return all;
}

namespace detail {

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

POSEMACHINE_INLINE const OpInfo* unknown_op(const std::string& name, int version, const std::string& where) {
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

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine
