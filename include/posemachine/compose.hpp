// Everything needed to compose a network and ask what it costs; no third party, nothing that runs.
#pragma once

#include <posemachine/core/config.hpp>
#include <posemachine/core/error.hpp>
#include <posemachine/core/fixed_string.hpp>
#include <posemachine/core/geometry.hpp>
#include <posemachine/core/image.hpp>
#include <posemachine/core/random.hpp>
#include <posemachine/core/tensor.hpp>

#include <posemachine/graph/custom_op.hpp>
#include <posemachine/graph/differentiate.hpp>
#include <posemachine/graph/gradients.hpp>
#include <posemachine/graph/graph.hpp>
#include <posemachine/graph/op_info.hpp>
#include <posemachine/graph/ops.hpp>
#include <posemachine/graph/ops/activation.hpp>
#include <posemachine/graph/ops/add.hpp>
#include <posemachine/graph/ops/batch_norm.hpp>
#include <posemachine/graph/ops/channel_scale.hpp>
#include <posemachine/graph/ops/concat.hpp>
#include <posemachine/graph/ops/convolution.hpp>
#include <posemachine/graph/ops/dropout.hpp>
#include <posemachine/graph/ops/input.hpp>
#include <posemachine/graph/ops/pooling.hpp>
#include <posemachine/graph/ops/prelu.hpp>
#include <posemachine/graph/ops/resize.hpp>
#include <posemachine/graph/ops/softmax.hpp>
#include <posemachine/graph/ops/transposed_convolution.hpp>
#include <posemachine/graph/passes/drop_dead.hpp>
#include <posemachine/graph/passes/fold_batch_norm.hpp>
#include <posemachine/graph/passes/for_inference.hpp>
#include <posemachine/graph/passes/keep_stages.hpp>
#include <posemachine/graph/passes/merge_equal.hpp>
#include <posemachine/graph/passes/move_gates.hpp>
#include <posemachine/graph/passes/redirect.hpp>
#include <posemachine/graph/passes/remove_dropout.hpp>
#include <posemachine/graph/queries.hpp>
#include <posemachine/graph/rules.hpp>
#include <posemachine/graph/sizes.hpp>
#include <posemachine/graph/value.hpp>

#include <posemachine/layers/activation.hpp>
#include <posemachine/layers/branches.hpp>
#include <posemachine/layers/convolution.hpp>
#include <posemachine/layers/identifier.hpp>
#include <posemachine/layers/layer.hpp>
#include <posemachine/layers/network.hpp>
#include <posemachine/layers/pooling.hpp>
#include <posemachine/layers/resize.hpp>
#include <posemachine/layers/sequential.hpp>
#include <posemachine/layers/sharing.hpp>
#include <posemachine/layers/tags.hpp>

#include <posemachine/modules/convolution_relu.hpp>
#include <posemachine/modules/dilation_module.hpp>
#include <posemachine/modules/fire.hpp>
#include <posemachine/modules/hourglass.hpp>
#include <posemachine/modules/pyramid_stack.hpp>
#include <posemachine/modules/residual.hpp>
#include <posemachine/modules/se_gate.hpp>

#include <posemachine/networks/cpm.hpp>
#include <posemachine/networks/registry.hpp>
#include <posemachine/networks/scaling_dilation.hpp>
#include <posemachine/networks/separable_residual.hpp>
#include <posemachine/networks/stacked_hourglass.hpp>
