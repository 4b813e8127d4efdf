// OpSet: the operations a model file may name, the library's and a user's.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace posemachine {
inline namespace POSEMACHINE_BUILD {

/// Operations by name and version. The default holds those of the library: OpSet{&mish_op} adds one's own.
class OpSet {
 public:
  OpSet() : ops_(forward_ops.begin(), forward_ops.end()) {}

  /// Errors: UsageError for an operation without a forward kernel, with a name that is empty or longer than 64 bytes,
  /// or with the name and version of another.
  OpSet(std::initializer_list<const OpInfo*> own);

  /// The same, taking also operations that nobody knows: their nodes can be looked at, not run.
  OpSet with_unknown() const;
  bool takes_unknown() const { return takes_unknown_; }

  /// The operation, or null.
  const OpInfo* find(std::string_view name, std::int64_t version) const;

  const std::vector<const OpInfo*>& all() const { return ops_; }

  std::vector<std::string> names() const;

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

constexpr int infer_unknown(Graph&, const Node& node) { return unpack<UnknownOptions>(node.options).channels; }

}  // namespace detail

/// Whether an operation of a graph is one that nobody knows: it stands in a file read with OpSet::with_unknown().
inline bool is_unknown(const OpInfo& op) { return op.infer == detail::infer_unknown; }

namespace detail {

/// A description that stands for an operation nobody knows: its name and version. Kept for the process's life, because
/// graphs point to it; errors: ModelError after 4096 of them, which no honest files have.
const OpInfo* unknown_op(const std::string& name, int version, const std::string& where);

}  // namespace detail

}  // namespace POSEMACHINE_BUILD
}  // namespace posemachine

#if !defined(POSEMACHINE_COMPILED)
#include <posemachine/model/op_set.ipp>
#endif
